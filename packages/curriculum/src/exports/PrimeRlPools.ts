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

/** The Python module that loads the state into prime-rl's sampler: to be written beside the state. */
export const primeRlLoader = `"""Gives prime-rl's DifficultyPoolSampler the pass rates of a Gradus profile. Written by gradus export; needs nothing but Python.

Call load(curriculum.sampler) where prime-rl has made a source's curriculum and before its first task is drawn: its questions then begin in their pools
instead of unseen. A sampler that comes from a checkpoint has its own rewards and needs none.
"""

import json
from pathlib import Path

STATE = Path(__file__).with_name("sampler_state.json")


def load(sampler, file=STATE):
    """Sets the observed rewards of the sampler's tasks, by their keys; returns how many tasks have one."""
    state = json.loads(Path(file).read_text(encoding="utf-8"))
    if state["format"] != 1:
        raise ValueError(f"state of format {state['format']}; this reads 1")
    keys = {task.key for task in sampler.tasks}
    rewards = {key: rate for key, rate in state["task_rewards"].items() if key in keys}
    if state["task_rewards"] and not rewards:
        raise ValueError(f"no task has the key of a question: {next(iter(state['task_rewards']))} is one, {next(iter(keys))} the other")
    # its random numbers stay those of its own seed
    sampler.load_state_dict({**sampler.state_dict(), "task_rewards": rewards})
    return len(rewards)
`
