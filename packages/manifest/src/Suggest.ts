/** "Did you mean": the nearest of the names that are allowed at a place. */

/** Computes the optimal string alignment distance: insertions, deletions, substitutions, and swaps of neighbours. */
export const distance = (a: string, b: string): number => {
  let before: Array<number> = []
  let above = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      let best = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + cost)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, before[j - 2]! + 1)
      row.push(best)
    }
    before = above
    above = row
  }
  return above[b.length]!
}

/** Longer names are not misspelt, and comparing them would cost time. */
const longest = 64

/** Finds the candidate nearest to what was written, if it is near: at most a third of the letters differ, upper and lower case alike. */
export const nearest = (written: string, candidates: Iterable<string>): string | undefined => {
  if (written.length > longest) return undefined
  const name = written.toLowerCase()
  let found: string | undefined
  let least = Infinity
  for (const candidate of candidates) {
    const far = distance(name, candidate.toLowerCase())
    if (far < least && far <= Math.max(1, Math.floor(Math.min(name.length, candidate.length) / 3))) {
      found = candidate
      least = far
    }
  }
  return found
}
