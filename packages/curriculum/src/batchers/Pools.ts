/**
 * Difficulty pools as prime-rl has them: each question is in the pool of its latest group mean, pools have fixed weights a question, and
 * a question that has no group yet has weight 1. Questions return to play with every group that moves them; no eviction is one-way.
 */
import * as Schema from "effect/Schema"
import { CurriculumInvalid } from "../PoolInvalid.ts"
import { weightedBatcher, type WeightedOptions } from "../WeightedBatcher.ts"

export const Pool = Schema.Struct({
  name: Schema.String,
  /** Highest pass rate of the pool; the pool with the highest threshold takes all that is above it too. */
  threshold: Schema.Finite,
  /** Weight of each of its questions. */
  weight: Schema.Finite
})
export type Pool = typeof Pool.Type

/** The pools of prime-rl's own default. */
export const defaultPools: ReadonlyArray<Pool> = [
  { name: "hard", threshold: 0.25, weight: 0.2 },
  { name: "normal", threshold: 0.75, weight: 1 },
  { name: "easy", threshold: 1, weight: 0.2 }
]

export interface PoolsOptions extends WeightedOptions {
  readonly pools?: ReadonlyArray<Pool> | undefined
  /** Where questions begin: in the pool of their profile's rate (absent), or unseen with weight 1, as prime-rl has it. */
  readonly begin?: "profile" | "unseen" | undefined
}

const Own = Schema.Struct({ pools: Schema.Array(Pool), begin: Schema.Literals(["profile", "unseen"]) })
type Own = typeof Own.Type

/** Checks pools and puts them in the order of their thresholds. Throws `CurriculumInvalid`. */
export const orderedPools = (pools: ReadonlyArray<Pool>): ReadonlyArray<Pool> => {
  const wrong = (reason: string): CurriculumInvalid => new CurriculumInvalid({ key: "curriculum.pools", reason })
  if (pools.length === 0) throw wrong("at least one pool is needed")
  const ordered = pools.toSorted((a, b) => a.threshold - b.threshold)
  for (const [i, { name, threshold, weight }] of ordered.entries()) {
    if (!(weight > 0) || !Number.isFinite(weight))
      throw wrong(`the weight of ${name} is ${weight}, and must be above 0`)
    if (!Number.isFinite(threshold)) throw wrong(`the threshold of ${name} is ${threshold}`)
    if (ordered[i + 1]?.threshold === threshold) throw wrong(`${name} has the threshold of ${ordered[i + 1]?.name}`)
    if (ordered.some((other, k) => k !== i && other.name === name)) throw wrong(`two pools are named ${name}`)
  }
  return ordered
}

/** Finds the pool of a rate: the first whose threshold it does not exceed, else the last. `pools` are in order. */
export const poolOf = (pools: ReadonlyArray<Pool>, rate: number): number => {
  const found = pools.findIndex(({ threshold }) => rate <= threshold)
  return found < 0 ? pools.length - 1 : found
}

/** Serves questions by the weights of their pools. The tier after the pools is that of the unseen. */
export const pools = weightedBatcher<Own, PoolsOptions>({
  own: Own,
  init: ({ begin, pools: given }) => ({ pools: orderedPools(given ?? defaultPools), begin: begin ?? "profile" }),
  weights: ({ pools: own }) => Float64Array.of(...own.map(({ weight }) => weight), 1),
  tierOf: ({ pools: own }, rate) => poolOf(own, rate),
  firstTier: ({ begin, pools: own }, rate) => (begin === "unseen" ? own.length : poolOf(own, rate)),
  metrics: ({ pools: own }, counts) => ({
    ...Object.fromEntries(own.map(({ name }, i) => [`curriculum/pool/${name}`, counts[i] ?? 0])),
    "curriculum/pool/unseen": counts[own.length] ?? 0
  })
})
