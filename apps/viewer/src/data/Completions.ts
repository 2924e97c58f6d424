/** The completions of a run as columns, without their texts: what a list of 100,000 of them filters by. */
import * as Schema from "effect/Schema"
import { parquetReadObjects } from "hyparquet"
import * as Files from "./Files.ts"
import { stepFile, stepsOf } from "./Run.ts"

const Light = Schema.Struct({
  question_id: Schema.String,
  k: Schema.Int,
  value: Schema.NullOr(Schema.Finite),
  length: Schema.Int,
  finish_reason: Schema.String,
  advantage: Schema.NullOr(Schema.Finite),
  answer: Schema.NullOr(Schema.String)
})
type Light = typeof Light.Type
const COLUMNS = Object.keys(Light.fields)
const decodeLight = Schema.decodeUnknownPromise(Schema.Array(Light))

export interface CompletionRow extends Light {
  readonly step: number
}

/** Rows by step, as far as they are read. */
export type ReadSteps = ReadonlyMap<number, ReadonlyArray<CompletionRow>>

/** Reads the completions of the steps that are not read yet, newest first, and gives those of each; a step that is on disk does not change. */
export const readCompletions = async (
  run: string,
  files: ReadonlyMap<string, number>,
  read: ReadSteps,
  onStep: (step: number, rows: ReadonlyArray<CompletionRow>) => void,
  signal: AbortSignal
): Promise<void> => {
  const waiting = stepsOf(files)
    .filter((step) => !read.has(step))
    .toSorted((a, b) => b - a)
  const worker = async (): Promise<void> => {
    for (let step = waiting.shift(); step !== undefined && !signal.aborted; step = waiting.shift()) {
      const path = stepFile(step, "rollouts.parquet")
      const file = await Files.openTable(`runs/${run}/${path}`, files.get(path) ?? 0)
      const rows = await decodeLight(await parquetReadObjects({ file, columns: COLUMNS }))
      const of = step
      if (signal.aborted) return
      onStep(
        of,
        rows.map((row) => ({ ...row, step: of }))
      )
    }
  }
  // a browser opens six connections to a server; more workers would only wait
  await Promise.all(Array.from({ length: 6 }, worker))
}

export interface CompletionFilter {
  /** Part of a question id or of an answer, whatever its case. */
  readonly text: string
  readonly worth: "any" | "right" | "wrong" | "unscored"
  readonly finish: "any" | "stop" | "length"
}

/** Finds the rows that a filter keeps, in their order. */
export const matching = (
  rows: ReadonlyArray<CompletionRow>,
  { finish, text, worth }: CompletionFilter
): ReadonlyArray<CompletionRow> => {
  const wanted = text.trim().toLowerCase()
  const hasWorth = (value: number | null): boolean =>
    worth === "any" || (worth === "unscored" ? value === null : value !== null && value > 0 === (worth === "right"))
  return rows.filter(
    (row) =>
      hasWorth(row.value) &&
      (finish === "any" || row.finish_reason === finish) &&
      (wanted === "" ||
        row.question_id.toLowerCase().includes(wanted) ||
        (row.answer ?? "").toLowerCase().includes(wanted))
  )
}
