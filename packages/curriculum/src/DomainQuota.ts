/** How many questions of each domain a batch takes, so that the ratios hold over the run to within a question. */
import { allocate, largestRemainder } from "./Allocation.ts"
import { CurriculumInvalid } from "./PoolInvalid.ts"

/** Reads domain ratios: those of the pool, or weights by name, which sum to 1 after scaling. Throws `CurriculumInvalid` for a domain without a weight. */
export const ratiosOf = (
  domains: ReadonlyArray<string>,
  counts: ArrayLike<number>,
  wanted: "pool" | Readonly<Record<string, number>>
): Float64Array => {
  const weights = Float64Array.from(domains, (name, d) => {
    if (wanted === "pool") return counts[d] ?? 0
    const weight = wanted[name]
    if (weight !== undefined && weight >= 0 && Number.isFinite(weight)) return weight
    throw new CurriculumInvalid({
      key: `curriculum.domains.${name}`,
      reason: "the pool has this domain, and it has no weight"
    })
  })
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  if (total > 0) return weights.map((weight) => weight / total)
  if (wanted === "pool") return weights
  throw new CurriculumInvalid({ key: "curriculum.domains", reason: "no domain of the pool has a positive weight" })
}

/** Orders domains for ties by their index, which is the order of their names. */
const byName = (domains: number): Int32Array => Int32Array.from({ length: domains }, (_, d) => d)

/**
 * Shares a batch out by largest remainder (Hamilton) on the cumulative target: domain d is owed (drawn + size) ratio_d less what it has
 * had, so that a domain whose share of one batch is below one question still gets its questions in time. What a domain cannot give is
 * taken from the domain with the most left.
 */
export const quotas = (
  size: number,
  ratios: Float64Array,
  had: ArrayLike<number>,
  left: ArrayLike<number>
): Int32Array => {
  const ranks = byName(ratios.length)
  let drawn = 0
  for (let d = 0; d < ratios.length; d++) drawn += had[d] ?? 0
  const owed = ratios.map((ratio, d) => Math.max(0, (drawn + size) * ratio - (had[d] ?? 0)))
  const total = owed.reduce((sum, count) => sum + count, 0)
  const shares = owed.map((count) => count / total)
  return allocate(size, largestRemainder(size, shares, ranks), left, ranks).take
}
