/** `gradus filter`: which questions of a file with pass rates are kept, why the others are not, and which of them are in another file too. */
import { unfilteredControl } from "@gradus/curriculum/Control"
import { misfilterRate } from "@gradus/curriculum/EarlyDecision"
import { bounds, PRIOR } from "@gradus/curriculum/Estimate"
import type { Filtered } from "@gradus/curriculum/Filter"
import { encodeRows } from "@gradus/datasets/Parquet"
import { DropReason, type FilterRow } from "@gradus/domain/Profile"
import * as Seed from "@gradus/domain/Seed"
import { writeFile } from "@gradus/experiment/AtomicFile"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { overlapLines, type OverlapFlags, overlaps } from "../Overlaps.ts"
import { print, printJson } from "../Output.ts"
import { filterFile, type FilterFlags, type RatedColumns } from "../RatedFile.ts"
import { encodeAsRead, isParquet, type ReadFile } from "../RowsAsRead.ts"
import { refuseUnless } from "../UnusedFlags.ts"
import { UsageError } from "../UsageError.ts"

export interface FilterOptions extends RatedColumns, FilterFlags, OverlapFlags {
  readonly input: string
  readonly output: string | undefined
  /** File for what is dropped and why. */
  readonly drops: string | undefined
  /** File for as many rows as are kept, drawn without looking at their rates. */
  readonly control: string | undefined
  readonly controlByDomain: boolean
  readonly seed: number | undefined
  readonly json: boolean
}

/** A question that is dropped. */
const Drop = Schema.Struct({
  question_id: Schema.String,
  /** Row of the file, from 1. */
  row: Schema.Int,
  passed: Schema.Int,
  scored: Schema.Int,
  rate: Schema.NullOr(Schema.Finite),
  /** Bounds of the posterior, where the interval decides. */
  low: Schema.NullOr(Schema.Finite),
  high: Schema.NullOr(Schema.Finite),
  reason: DropReason
})
type Drop = typeof Drop.Type

const dropsOf = (
  { rows }: ReadFile,
  { rows: decisions }: Filtered,
  credibleLevel: number | undefined
): ReadonlyArray<Drop> =>
  decisions.flatMap(({ passed, question_id, rate, reason, scored }: FilterRow, i) => {
    if (reason === null) return []
    const none = { low: null, high: null }
    const { high, low } = credibleLevel === undefined || scored === 0 ? none : bounds(passed, scored, credibleLevel)
    return [{ question_id, row: rows[i]?.row ?? i + 1, passed, scored, rate, low, high, reason }]
  })

const jsonLines = (rows: ReadonlyArray<unknown>): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("")

const meanRate = (rows: ReadonlyArray<{ readonly passed: number; readonly scored: number }>): number | null =>
  rows.length === 0 ? null : rows.reduce((sum, { passed, scored }) => sum + passed / scored, 0) / rows.length

type FilteredFile = Effect.Success<ReturnType<typeof filterFile>>

/** Draws the control and finds its rows in the file. */
const controlOf = Effect.fnUntraced(function* ({ filtered, rated }: FilteredFile, options: FilterOptions) {
  if (options.controlByDomain && options.domain === undefined)
    return yield* new UsageError({ reason: "--control-by-domain needs --domain, the column that says it" })
  const like = options.controlByDomain ? [filtered.kept] : []
  const chosen = unfilteredControl(rated, filtered.kept.length, Seed.root(options.seed ?? 0), ...like)
  const ids = new Set(chosen.map(({ question_id }) => question_id))
  return { chosen, indices: rated.flatMap(({ question_id }, i) => (ids.has(question_id) ? [i] : [])) }
})

/** Makes every file that is asked for before the first one is written: what fails leaves nothing behind. */
const filesOf = Effect.fnUntraced(function* (
  read: FilteredFile,
  drops: ReadonlyArray<Drop>,
  control: ReadonlyArray<number>,
  options: FilterOptions
) {
  const files: Array<readonly [string, Uint8Array | string]> = []
  const kept = read.filtered.rows.flatMap((row, i) => (row.kept ? [i] : []))
  if (options.output !== undefined) files.push([options.output, yield* encodeAsRead(read, kept, options.output)])
  if (options.drops !== undefined)
    files.push([options.drops, isParquet(options.drops) ? yield* encodeRows(Drop, drops) : jsonLines(drops)])
  if (options.control !== undefined) files.push([options.control, yield* encodeAsRead(read, control, options.control)])
  return files
})

const words: Readonly<Record<DropReason, (options: FilterOptions) => string>> = {
  too_easy: ({ dropAt }) => `pass rate at or above ${dropAt}`,
  below_floor: ({ floor }) => `pass rate below ${floor}`,
  unscored: () => "nothing was scored"
}

const checkUse = Effect.fnUntraced(function* (options: FilterOptions) {
  const { against, control, controlByDomain, duplicates, ngram, question, seed } = options
  yield* refuseUnless(control, { controlByDomain, seed }, "without --control")
  yield* refuseUnless(duplicates || against, { ngram, question }, "without --against or --duplicates")
})

/** A file of which nothing is kept is not written: the counts say why. */
const checkKept = Effect.fnUntraced(function* ({ filtered, rated }: FilteredFile, options: FilterOptions) {
  if (options.output === undefined || filtered.kept.length > 0) return
  const { below_floor, too_easy, unscored } = filtered.byReason
  const reason = `the filter keeps none of ${rated.length} questions: ${too_easy} have a pass rate of ${options.dropAt} or more, ${below_floor} are below the floor, ${unscored} have no score; nothing is written`
  return yield* new UsageError({ reason })
})

/** Filters a file; kept rows are written as they were read. */
export const filter = Effect.fn("gradus.filter")(function* (options: FilterOptions) {
  yield* checkUse(options)
  const read = yield* filterFile(options.input, options, options)
  const { filtered, rated } = read
  yield* checkKept(read, options)
  const drops = dropsOf(read, filtered, options.credibleLevel)
  const control = options.control === undefined ? undefined : yield* controlOf(read, options)
  const overlap = yield* overlaps(read, rated, new Set(filtered.kept.map(({ question_id }) => question_id)), options)
  const files = yield* filesOf(read, drops, control?.indices ?? [], options)
  for (const [file, data] of files) yield* writeFile(file, data)
  const questions = rated.length
  const kept = filtered.kept.length
  const { byLevel, byReason, notes } = filtered
  // what the filter gets wrong is a matter of the samples: their number, not the questions', makes it small
  const expectedMisfiltered = misfilterRate(rated, read.rule, PRIOR)
  if (options.json)
    return yield* printJson({
      questions,
      kept,
      dropped: questions - kept,
      byLevel,
      byReason,
      expectedMisfiltered,
      ...(options.credibleLevel === undefined ? {} : { credible_level: options.credibleLevel, prior: PRIOR }),
      notes,
      // a file has them all; without one they are here
      ...(options.drops === undefined ? { drops } : { drops: options.drops }),
      ...(control === undefined
        ? {}
        : {
            control: {
              questions: control.chosen.length,
              meanRate: meanRate(control.chosen),
              keptMeanRate: meanRate(filtered.kept),
              output: options.control
            }
          }),
      ...(overlap === undefined ? {} : { overlap }),
      ...(options.output === undefined ? {} : { output: options.output })
    })
  yield* print(`${questions} questions, ${kept} kept, ${questions - kept} dropped`)
  for (const reason of DropReason.literals)
    if (byReason[reason] > 0) yield* print(`  ${byReason[reason]} dropped: ${words[reason](options)}`)
  const samples = options.n === undefined ? "" : `/${options.n}`
  for (const [level, count] of Object.entries(byLevel)) yield* print(`  ${level}${samples}: ${count}`)
  yield* print(
    `expected to be on the wrong side of the cut, by the posteriors: ${(expectedMisfiltered * 100).toFixed(1)} % of the scored questions`
  )
  for (const note of notes) yield* print(note)
  if (control !== undefined)
    yield* print(
      `control: ${control.chosen.length} questions of all, mean pass rate ${meanRate(control.chosen)?.toFixed(3) ?? "-"} (kept: ${meanRate(filtered.kept)?.toFixed(3) ?? "-"}), in ${options.control}`
    )
  if (overlap !== undefined) for (const line of overlapLines(overlap)) yield* print(line)
})
