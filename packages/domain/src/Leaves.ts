/** The values of a nested object, each by its path: `train.learning_rate.peak`. */
const into = (value: unknown, path: string, found: Map<string, unknown>): Map<string, unknown> => {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    for (const [key, inner] of Object.entries(value)) into(inner, path === "" ? key : `${path}.${key}`, found)
  else found.set(path, value)
  return found
}

/** Lists every value that is no object, by its path, in the order in which they stand. A list is one value. */
export const leaves = (value: object): ReadonlyMap<string, unknown> => into(value, "", new Map())
