/**
 * Difficulty pools for prime-rl: the sampler's configuration as TOML, and the pass rates of a profile as the sampler's observed rewards, so that
 * its questions begin in their pools instead of unseen. Pools are those of the batcher `pools`, with the same rule: the first threshold not exceeded.
 */
import * as Schema from "effect/Schema"
import { orderedPools, type Pool } from "../batchers/Pools.ts"
import type { Profiled } from "../Filter.ts"
import { CurriculumInvalid } from "../PoolInvalid.ts"

export const PrimeRlState = Schema.Struct({
  format: Schema.Literal(1),
  seed: Schema.Int,
  /** Latest reward by task key: what the sampler's state_dict holds under this name. */
  task_rewards: Schema.Record(Schema.String, Schema.Finite)
})
export type PrimeRlState = typeof PrimeRlState.Type

const number = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value))

/** A bare TOML key, or a quoted one. JSON's escapes are TOML's. */
const key = (name: string): string => (/^[A-Za-z0-9_-]+$/u.test(name) ? name : JSON.stringify(name))

/** Writes the configuration, under the table where prime-rl's documentation has it. Throws `CurriculumInvalid` for pools that it would refuse. */
export const primeRlConfig = (
  pools: ReadonlyArray<Pool>,
  seed: number,
  table = "orchestrator.train.source.curriculum.sampler"
): string => {
  const blocks = orderedPools(pools).map(
    ({ name, threshold, weight }) =>
      `[${table}.pools.${key(name)}]\nthreshold = ${number(threshold)}\nweight = ${number(weight)}\n`
  )
  return [`[${table}]\ntype = "difficulty_pool"\nseed = ${seed}\n`, ...blocks].join("\n")
}

/** Makes the observed rewards of a profile; questions without a score stay unseen. Ids have to be the task keys. */
export const primeRlState = (profile: ReadonlyArray<Profiled>, seed: number): PrimeRlState => {
  if (!Number.isInteger(seed)) throw new CurriculumInvalid({ key: "seed", reason: `${seed} is no whole number` })
  const rated = profile.filter(({ scored }) => scored > 0)
  return {
    format: 1,
    seed,
    task_rewards: Object.fromEntries(rated.map(({ passed, question_id, scored }) => [question_id, passed / scored]))
  }
}
