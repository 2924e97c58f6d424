/** How many questions of each domain a batch takes, so that the ratios hold over the run to within a question. */
import { allocate, largestRemainder } from "./Allocation.ts"
import { CurriculumInvalid } from "./PoolInvalid.ts"

const KEY = "curriculum.domain_ratios"

/** A ratio that no question of the pool answers to is a name that is misspelt, or a domain of which the filter keeps nothing. */
const checkNames = (domains: ReadonlyArray<string>, wanted: Readonly<Record<string, number>>): void => {
  const lacking = Object.keys(wanted).find((name) => (wanted[name] ?? 0) > 0 && !domains.includes(name))
  if (lacking === undefined) return
  const there = domains.map((name) => (name === "" ? "questions without a domain" : name)).join(", ")
  throw new CurriculumInvalid({
    key: `${KEY}.${lacking}`,
    reason: `the pool has no question of this domain; it has ${there}`
  })
}

/**
 * Reads domain ratios: those of the pool, or weights by name, which sum to 1 after scaling. Throws `CurriculumInvalid` for a domain without a weight, and
 * for a weight of a domain that the pool lacks.
 */
export const ratiosOf = (
  domains: ReadonlyArray<string>,
  counts: ArrayLike<number>,
  wanted: "pool" | Readonly<Record<string, number>>
): Float64Array => {
  if (wanted !== "pool") checkNames(domains, wanted)
  const weights = Float64Array.from(domains, (name, d) => {
    if (wanted === "pool") return counts[d] ?? 0
    const weight = wanted[name]
    if (weight !== undefined && weight >= 0 && Number.isFinite(weight)) return weight
    throw name === ""
      ? new CurriculumInvalid({ key: KEY, reason: "the pool has questions without a domain, and they have no weight" })
      : new CurriculumInvalid({ key: `${KEY}.${name}`, reason: "the pool has this domain, and it has no weight" })
  })
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  if (total > 0) return weights.map((weight) => weight / total)
  if (wanted === "pool") return weights
  throw new CurriculumInvalid({ key: KEY, reason: "no domain of the pool has a positive weight" })
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
