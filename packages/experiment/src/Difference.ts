/** Where two JSON values differ first. */

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null

/** Gives the path (`train.steps`, `questions.hard_letters.0`) of the first difference in key order; undefined where there is none. */
export const firstDifference = (a: unknown, b: unknown, path = ""): string | undefined => {
  if (!isRecord(a) || !isRecord(b)) return Object.is(a, b) ? undefined : path
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const found = firstDifference(a[key], b[key], path === "" ? key : `${path}.${key}`)
    if (found !== undefined) return found
  }
  return undefined
}
