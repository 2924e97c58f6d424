/** `gradus rejudge DIR`: stored completions of a run are scored again, without generating any, and compared. Nothing of the run changes. */
import { lets } from "@gradus/curriculum/Gate"
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import { ProfileRow } from "@gradus/domain/Profile"
import { RolloutRow } from "@gradus/domain/RunRecord"
import { decodeRows } from "@gradus/datasets/Parquet"
import { exists, readFile, readJson, writeFile } from "@gradus/experiment/AtomicFile"
import { readJournal } from "@gradus/experiment/Journal"
import { readings, ResolvedFile } from "@gradus/experiment/ReadRun"
import { layout, type RunDirectory } from "@gradus/experiment/RunDirectory"
import { unscoredElsewhere } from "@gradus/experiment/UnscoredElsewhere"
import type { Comparison } from "@gradus/rewards/Rejudge"
import { throughGate } from "@gradus/rewards/RejudgeGate"
import { rejudge as scoreAgain } from "@gradus/rewards/service/Rejudgement"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import { Engines } from "../Engines.ts"
import { print, printJson } from "../Output.ts"
import { judgePlace } from "../RunPlace.ts"
import { redisAddress } from "../StoreAddress.ts"

export interface RejudgeOptions {
  readonly directory: string
  readonly all: boolean
  /** Address of the Redis where the judges of all hosts count; undefined: the environment's, or none. */
  readonly redis: string | undefined
  readonly json: boolean
}

/** What is unscored outside of training, where this command grades nothing. */
const elsewhere = Effect.fnUntraced(function* (directory: RunDirectory) {
  const profile = (yield* exists(directory.profile))
    ? yield* decodeRows(ProfileRow, yield* readFile(directory.profile))
    : []
  return unscoredElsewhere(profile, yield* readings(directory))
})

/** A gate turned groups away by their rates; a control's advantages came from other groups' values and are left as they are. */
const gated = <A extends Comparison>(
  { gate, profile, rewards }: Manifest,
  rows: ReadonlyArray<RolloutRow>,
  again: A
): A =>
  gate === undefined || rewards.control === "shuffled"
    ? again
    : throughGate(rows, again, (values) =>
        lets(gate, values.filter((value) => value >= profile.pass_mark).length / values.length)
      )

/** Scores what is unscored (or all) of the run's training completions, writes `rejudged.json` beside them and says what would have changed. */
export const rejudge = Effect.fn("gradus.rejudge")(function* (options: RejudgeOptions) {
  const path = yield* Path.Path
  const directory = yield* layout(path.resolve(options.directory))
  const { manifest } = yield* readJson(ResolvedFile, directory.resolved)
  const { events } = yield* readJournal(directory.journal)
  const steps = events.flatMap((event) => (event._tag === "step_generated" ? [event.step] : []))
  const stored = yield* Effect.forEach(steps, (step) =>
    Effect.gen(function* () {
      const file = directory.rollouts(step)
      return (yield* exists(file)) ? yield* decodeRows(RolloutRow, yield* readFile(file)) : []
    })
  )
  const { scorer } = yield* Engines
  // its own budget: what the run had is spent or kept for the run
  const { store } = yield* judgePlace(directory.root, yield* redisAddress(options.redis))
  const rows = stored.flat()
  const again = yield* scoreAgain(manifest, rows, options.all ? "all" : "unscored").pipe(
    Effect.provide(scorer(manifest.rewards, { store }))
  )
  const result = gated(manifest, rows, again)
  const output = path.join(directory.root, "rejudged.json")
  yield* writeFile(output, `${JSON.stringify({ format: 1, ...result })}\n`)
  const { summary } = result
  const others = yield* elsewhere(directory)
  if (options.json) return yield* printJson({ ...summary, unscored_elsewhere: others, output })
  yield* print(
    `${summary.completions} completions, ${summary.rescored} scored again: ${summary.unscored_before} -> ${summary.unscored_after} unscored`
  )
  yield* print(
    `${summary.values_changed} values, ${summary.advantages_changed} advantages and ${summary.groups_changed} groups would have changed; ${summary.groups_regained} groups would have been trained on`
  )
  for (const { samples, stage, step, unscored } of others)
    yield* print(`${stage} at step ${step}: ${unscored} of ${samples} are unscored, and are not scored here`)
  yield* print(output)
})
