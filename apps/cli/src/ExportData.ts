/** The rows that a plan's questions are: those of the file with pass rates, of the manifest's question file, or the questions that a task makes. */
import { readRows } from "@gradus/datasets/service/Rows"
import { loadQuestions } from "@gradus/datasets/service/LoadQuestions"
import * as Seed from "@gradus/domain/Seed"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import type { PlanSource } from "./PlanSource.ts"
import { isParquet, type ReadFile } from "./RowsAsRead.ts"

export interface Data {
  readonly read: ReadFile
  /** Question ids, parallel to the rows. */
  readonly ids: ReadonlyArray<string>
  /** The Parquet file whose rows these are, all of them; undefined where there is none. */
  readonly parquet: string | undefined
}

const ofManifest = Effect.fnUntraced(function* ({ base, manifest: { questions, seed } }: PlanSource) {
  const path = yield* Path.Path
  const { sets } = yield* loadQuestions(questions, Seed.child(Seed.root(seed), "questions"), base)
  const ids = sets.train.map(({ question_id }) => question_id)
  if (questions.kind !== "files") {
    const rows = sets.train.map((values, i) => ({ row: i + 1, values: { ...values } }))
    const data: Data = { read: { file: undefined, rows }, ids, parquet: undefined }
    return data
  }
  const file = path.resolve(base, questions.train.path)
  const rows = yield* readRows(file, questions.train.limit)
  const whole = isParquet(file) && questions.train.limit === undefined
  const data: Data = { read: { file, rows }, ids, parquet: whole ? file : undefined }
  return data
})

/** Finds the rows of a source. */
export const dataOf = Effect.fn("ExportData.dataOf")(function* (source: PlanSource) {
  const { rated, read } = source
  if (read === undefined) return yield* ofManifest(source)
  const path = yield* Path.Path
  const parquet = read.file !== undefined && isParquet(read.file) ? path.resolve(read.file) : undefined
  const data: Data = { read, ids: rated.map(({ question_id }) => question_id), parquet }
  return data
})
