/** One group: all completions of a question in a step, with verdicts, and the tokens of those that were trained on. */
import { RolloutRow } from "@gradus/domain/RunRecord"
import type { UpdateRow } from "@gradus/domain/UpdateBatch"
import { VerdictRecord } from "@gradus/domain/VerdictRecord"
import { decodeUpdate } from "@gradus/trainer-client/UpdateCodec"
import * as Schema from "effect/Schema"
import { parquetReadObjects } from "hyparquet"
import * as Files from "./Files.ts"
import { stepFile } from "./Run.ts"

const decodeRollouts = Schema.decodeUnknownPromise(Schema.Array(RolloutRow))
const decodeIds = Schema.decodeUnknownPromise(Schema.Array(Schema.Struct({ question_id: Schema.String })))

export interface Group {
  readonly rows: ReadonlyArray<RolloutRow>
  readonly verdicts: ReadonlyMap<string, VerdictRecord>
  /** By sample; completions that taught nothing were not sent and have none. */
  readonly sent: ReadonlyMap<string, UpdateRow>
}

/** Reads the completions of one question in a step: first which rows are its, then these rows alone. */
export const rolloutsOf = async (
  run: string,
  files: ReadonlyMap<string, number>,
  step: number,
  question: string
): Promise<ReadonlyArray<RolloutRow>> => {
  const path = stepFile(step, "rollouts.parquet")
  const size = files.get(path)
  if (size === undefined) return []
  const file = await Files.openTable(`runs/${run}/${path}`, size)
  const ids = await decodeIds(await parquetReadObjects({ file, columns: ["question_id"] }))
  const first = ids.findIndex((row) => row.question_id === question)
  if (first < 0) return []
  const last = ids.findLastIndex((row) => row.question_id === question)
  const rows = await decodeRollouts(await parquetReadObjects({ file, rowStart: first, rowEnd: last + 1 }))
  return rows.filter((row) => row.question_id === question)
}

/** Reads a step's verdicts, by sample. */
export const verdictsOf = async (
  run: string,
  files: ReadonlyMap<string, number>,
  step: number
): Promise<ReadonlyMap<string, VerdictRecord>> => {
  const path = stepFile(step, "rollouts.verdicts.parquet")
  const rows = files.has(path) ? await Files.table(VerdictRecord, `runs/${run}/${path}`) : []
  return new Map(rows.map((row) => [row.sample_id, row]))
}

const sentOf = async (
  run: string,
  files: ReadonlyMap<string, number>,
  step: number
): Promise<ReadonlyMap<string, UpdateRow>> => {
  const updates = [...files.keys()].filter((path) => path.startsWith(stepFile(step, "update_")))
  const batches = await Promise.all(updates.map((path) => Files.read(`runs/${run}/${path}`, decodeUpdate)))
  return new Map(batches.flatMap((batch) => batch.rows).map((row) => [row.sample_id, row]))
}

/** Reads a group. */
export const groupOf = async (
  run: string,
  files: ReadonlyMap<string, number>,
  step: number,
  question: string
): Promise<Group> => {
  const [rows, verdicts, sent] = await Promise.all([
    rolloutsOf(run, files, step, question),
    verdictsOf(run, files, step),
    sentOf(run, files, step)
  ])
  return { rows, verdicts, sent }
}
