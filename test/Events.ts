/** Lines of JSON, as journals and metrics have them. */
export const eventsOf = (text: string): ReadonlyArray<any> =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
