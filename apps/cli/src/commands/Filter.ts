/** `gradus filter`: which questions of a file with pass rates are kept. */
import { filter as applyFilter } from "@gradus/curriculum/Filter"
import type { PassRateKind } from "@gradus/datasets/PassRateKinds"
import { passRates } from "@gradus/datasets/PassRates"
import { readRows } from "@gradus/datasets/service/Rows"
import { writeFile } from "@gradus/experiment/AtomicFile"
import * as Effect from "effect/Effect"
import { print, printJson } from "../Output.ts"

export interface RatedInput {
  readonly input: string
  readonly passed: string
  /** What the column says. */
  readonly kind: PassRateKind
  readonly n: number
  readonly dropAt: number
}

export interface FilterOptions extends RatedInput {
  readonly output: string | undefined
  readonly json: boolean
}

/** Reads a file with pass rates and decides for each question. */
export const filterFile = Effect.fn("gradus.filterFile")(function* (options: RatedInput) {
  const rows = yield* readRows(options.input)
  const rated = yield* passRates(rows, options.input, {
    column: options.passed,
    kind: options.kind,
    n: options.n
  })
  return { rows, filtered: applyFilter(rated, { drop_at: options.dropAt }, options.n) }
})

/** Filters a file; kept rows are written as they were read. */
export const filter = Effect.fn("gradus.filter")(function* (options: FilterOptions) {
  const { filtered, rows } = yield* filterFile(options)
  if (options.output !== undefined) {
    const kept = rows.filter((_, index) => filtered.rows[index]?.kept === true)
    yield* writeFile(options.output, kept.map((row) => `${JSON.stringify(row.values)}\n`).join(""))
  }
  const questions = filtered.rows.length
  const kept = filtered.kept.length
  const { byLevel } = filtered
  if (options.json) return yield* printJson({ questions, kept, dropped: questions - kept, byLevel })
  yield* print(`${questions} questions, ${kept} kept, ${questions - kept} dropped (pass rate >= ${options.dropAt})`)
  for (const [level, count] of Object.entries(byLevel)) yield* print(`  ${level}/${options.n}: ${count}`)
})
