/** A run's stored completions, and what a judge said of them, as tables. */
import { columnsOf } from "@gradus/analytics/Tables"
import { decodeRows, type FlatSchema } from "@gradus/datasets/Parquet"
import type { AccuracyRule, RewardsSpec } from "@gradus/domain/manifest/Rewards"
import { RolloutRow } from "@gradus/domain/RunRecord"
import { VerdictRecord } from "@gradus/domain/VerdictRecord"
import { readFile } from "@gradus/experiment/AtomicFile"
import { layout } from "@gradus/experiment/RunDirectory"
import { requestOf } from "@gradus/rewards/Rejudge"
import { ruleAccuracy } from "@gradus/rewards/Score"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"

const ROLLOUT = Object.keys(RolloutRow.fields) as ReadonlyArray<keyof RolloutRow>
const VERDICT = Object.keys(VerdictRecord.fields) as ReadonlyArray<keyof VerdictRecord>

const rowsIn = Effect.fnUntraced(function* <Row>(schema: FlatSchema<Row>, file: string) {
  return yield* decodeRows(schema, yield* readFile(file))
})

/** Files of completions below a folder of the run, in order of their paths. */
const filesBelow = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = yield* fs.readDirectory(folder, { recursive: true }).pipe(Effect.orElseSucceed(() => []))
  return names
    .filter((name) => name.endsWith(".parquet") && !name.endsWith(".verdicts.parquet"))
    .filter((name) => name.split(path.sep).every((part) => !part.startsWith(".")))
    .toSorted()
    .map((name) => path.join(folder, name))
})

/** Reads every trained completion, with the columns of rollouts.parquet. */
export const rolloutsOf = Effect.fn("notebook.rollouts")(function* (root: string) {
  const path = yield* Path.Path
  const files = yield* filesBelow(path.join(root, "steps"))
  const rows = yield* Effect.forEach(files, (file) => rowsIn(RolloutRow, file))
  return columnsOf(rows.flat(), ROLLOUT)
})

/** Where completions lie, by what they were made for. */
const FOLDERS = { profile: "profile", train: "steps", evaluate: "eval" } as const

const graded = (rewards: RewardsSpec, accuracy: AccuracyRule, row: RolloutRow): "right" | "wrong" | null => {
  const said = ruleAccuracy({ ...rewards, accuracy }, requestOf(row))
  if (said?.kind !== "scored") return null
  return said.value === 1 ? "right" : "wrong"
}

/**
 * Reads every completion that a judge was asked about: `stage`, the columns of its verdict, `step`, `question_id`, `question`, `gold`, `text`, `answer`, `value`,
 * and `rule`: what the accuracy rule says of it ("right", "wrong", or null where it cannot).
 */
export const verdictsOf = Effect.fn("notebook.verdicts")(function* (
  root: string,
  rewards: RewardsSpec,
  rule: AccuracyRule
) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { verdicts } = yield* layout(root)
  const found: Array<Readonly<Record<string, unknown>>> = []
  for (const [stage, folder] of Object.entries(FOLDERS))
    for (const file of yield* filesBelow(path.join(root, folder))) {
      if (!(yield* fs.exists(verdicts(file)))) continue
      const completions = new Map((yield* rowsIn(RolloutRow, file)).map((row) => [row.sample_id, row]))
      for (const verdict of yield* rowsIn(VerdictRecord, verdicts(file))) {
        const row = completions.get(verdict.sample_id)
        if (row === undefined) continue
        const { answer, gold, question, question_id, step, text, value } = row
        const asked = { step, question_id, question, gold, text, answer, value, rule: graded(rewards, rule, row) }
        found.push({ stage, ...verdict, ...asked })
      }
    }
  const asked = ["step", "question_id", "question", "gold", "text", "answer", "value", "rule"]
  return columnsOf(found, ["stage", ...VERDICT, ...asked])
})
