/** "Did you mean": the name nearest to one that is not there. */

/** Counts the insertions, deletions, substitutions and swaps of neighbours that turn one text into another. */
const distance = (a: string, b: string): number => {
  let before: Array<number> = []
  let above = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const here = [i]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      const least = Math.min((above[j] ?? 0) + 1, (here[j - 1] ?? 0) + 1, (above[j - 1] ?? 0) + cost)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      here.push(swapped ? Math.min(least, (before[j - 2] ?? 0) + 1) : least)
    }
    before = above
    above = here
  }
  return above[b.length] ?? 0
}

/** Finds the candidate nearest to a name, ignoring case; undefined where none is near (more than a third of it differs, or more than 3 letters). */
export const nearest = (name: string, candidates: ReadonlyArray<string>): string | undefined => {
  const allowed = Math.min(3, Math.max(1, Math.floor(name.length / 3)))
  const ranked = candidates
    .filter((candidate) => candidate.length < 100)
    .map((candidate) => ({ candidate, edits: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ edits }) => edits <= allowed)
    .toSorted((a, b) => a.edits - b.edits)
  return ranked[0]?.candidate
}
