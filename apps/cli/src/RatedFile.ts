/** Files with pass rates that somebody measured: which columns say what is stated by flags, never guessed. */
import { passRates } from "@gradus/datasets/PassRates"
import { readRows } from "@gradus/datasets/service/Rows"
import { filter } from "@gradus/curriculum/Filter"
import { refusing } from "@gradus/curriculum/PoolInvalid"
import { FilterSpec, type PassRateKind } from "@gradus/domain/manifest/Curriculum"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { say } from "./Output.ts"
import { UsageError } from "./UsageError.ts"

/** Which columns a file of pass rates has. */
export interface RatedColumns {
  readonly passed: string
  /** What the column says; undefined: whole numbers of passes, which is said. */
  readonly kind: PassRateKind | undefined
  /** Samples of every question, or the column that says it; fractions and lists say it themselves. */
  readonly n: number | undefined
  readonly nColumn: string | undefined
  readonly id: string | undefined
  readonly domain: string | undefined
  readonly missing: "refuse" | "unscored" | undefined
  readonly rounding: "refuse" | "nearest" | undefined
}

export interface FilterFlags {
  readonly dropAt: number
  readonly floor: number | undefined
  readonly credibleLevel: number | undefined
}

/** What a column says where nothing is stated. */
export const ASSUMED: PassRateKind = "passed_count"

/** Reads a file and the pass rate of every row. */
export const readRated = Effect.fn("RatedFile.read")(function* (file: string, columns: RatedColumns) {
  const { kind, n, nColumn, passed, ...rest } = columns
  if (n !== undefined && nColumn !== undefined)
    return yield* new UsageError({ reason: "--n and --n-column: give one of them, the samples are said once" })
  if (kind === undefined) yield* say(`--kind is not given: the column ${passed} is read as ${ASSUMED}`)
  const rows = yield* readRows(file)
  const rated = yield* passRates(rows, file, {
    ...rest,
    kind: kind ?? ASSUMED,
    column: passed,
    n: nColumn === undefined ? n : { column: nColumn }
  })
  return { file, rows, rated }
})

/** Checks the filter's settings as a manifest's are checked. */
export const filterRule = Effect.fn("RatedFile.filterRule")(function* ({ credibleLevel, dropAt, floor }: FilterFlags) {
  const rule = yield* Schema.decodeEffect(FilterSpec)({
    drop_at: dropAt,
    ...(floor === undefined ? {} : { floor }),
    ...(credibleLevel === undefined ? {} : { credible_level: credibleLevel })
  }).pipe(Effect.mapError((error) => new UsageError({ reason: `the filter cannot be so: ${error.message}` })))
  if (floor !== undefined && floor >= dropAt)
    return yield* new UsageError({ reason: `--floor ${floor} is not below --drop-at ${dropAt}: nothing could be kept` })
  return rule
})

/** Reads a file with pass rates and decides for each question. */
export const filterFile = Effect.fn("RatedFile.filter")(function* (
  file: string,
  columns: RatedColumns,
  flags: FilterFlags
) {
  const rule = yield* filterRule(flags)
  const read = yield* readRated(file, columns)
  return { ...read, rule, filtered: yield* refusing(() => filter(read.rated, rule, columns.n)) }
})
