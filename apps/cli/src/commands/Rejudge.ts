/** `gradus rejudge DIR`: stored completions of a run are scored again, without generating any, and compared. Nothing of the run changes. */
import { RolloutRow } from "@gradus/domain/RunRecord"
import { decodeRows } from "@gradus/datasets/Parquet"
import { exists, readFile, readJson, writeFile } from "@gradus/experiment/AtomicFile"
import { readJournal } from "@gradus/experiment/Journal"
import { ResolvedFile } from "@gradus/experiment/ReadRun"
import { layout } from "@gradus/experiment/RunDirectory"
import { rejudge as scoreAgain } from "@gradus/rewards/service/Rejudgement"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import { Engines } from "../Engines.ts"
import { print, printJson } from "../Output.ts"

export interface RejudgeOptions {
  readonly directory: string
  readonly all: boolean
  readonly json: boolean
}

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
  const result = yield* scoreAgain(manifest, stored.flat(), options.all ? "all" : "unscored").pipe(
    Effect.provide(scorer(manifest.rewards))
  )
  const output = path.join(directory.root, "rejudged.json")
  yield* writeFile(output, `${JSON.stringify({ format: 1, ...result })}\n`)
  const { summary } = result
  if (options.json) return yield* printJson({ ...summary, output })
  yield* print(
    `${summary.completions} completions, ${summary.rescored} scored again: ${summary.unscored_before} -> ${summary.unscored_after} unscored`
  )
  yield* print(
    `${summary.values_changed} values, ${summary.advantages_changed} advantages and ${summary.groups_changed} groups would have changed; ${summary.groups_regained} groups would have been trained on`
  )
  yield* print(output)
})
