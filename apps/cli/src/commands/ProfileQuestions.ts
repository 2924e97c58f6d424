/** The questions of a profile without a manifest, all or a sample, and the column of pass rates that is checked. */
import { toQuestions } from "@gradus/datasets/Columns"
import { DatasetRowInvalid } from "@gradus/datasets/DatasetErrors"
import { passRates } from "@gradus/datasets/PassRates"
import { readRows } from "@gradus/datasets/service/Rows"
import * as Seed from "@gradus/domain/Seed"
import * as Effect from "effect/Effect"
import type { ServedOptions } from "./ProfileServed.ts"

/** Draws `count` of the numbers below `total`; in rising order, so that a sample of all is the file. */
const draw = (total: number, count: number, seed: number): ReadonlyArray<number> => {
  const places = Uint32Array.from({ length: total }, (_, i) => i)
  Seed.stream(Seed.child(Seed.root(seed), "profile-sample")).shuffle(places)
  return [...places.subarray(0, count)].toSorted((a, b) => a - b)
}

/** Says by which flags columns are named. */
const withFlags = (error: DatasetRowInvalid): DatasetRowInvalid =>
  error.reason.startsWith("no such column")
    ? new DatasetRowInvalid({
        ...error,
        reason: `${error.reason}. Columns are named by --id (or --row-ids), --question, --gold, --domain and --check`
      })
    : error

/** Reads the file. Fails at the first row that is wrong, naming row and column. */
export const servedQuestions = Effect.fnUntraced(function* (file: string, options: ServedOptions) {
  const rows = yield* readRows(file)
  const { domain, id, rowIds } = options
  const columns = {
    ...(rowIds ? {} : { id }),
    question: options.question,
    gold: options.gold,
    ...(domain === undefined ? {} : { domain })
  }
  const spec = { path: file, columns, gold_rule: options.goldRule, thinking: options.thinking }
  const all = yield* Effect.mapError(toQuestions("row", rows, spec), withFlags)
  const { check, kind, n } = options
  const rated =
    check === undefined || kind === undefined
      ? undefined
      : yield* passRates(rows, file, {
          column: check,
          kind,
          n,
          missing: "unscored",
          ...(rowIds ? {} : { id })
        }).pipe(Effect.mapError(withFlags))
  const places =
    options.sample === undefined || options.sample >= all.length
      ? all.map((_, i) => i)
      : draw(all.length, options.sample, options.sampleSeed)
  const questions = places.flatMap((i) => all[i] ?? [])
  return {
    questions,
    // by place, not by the id that the column's reader may have found elsewhere
    column:
      rated && places.flatMap((i) => (rated[i] && all[i] ? [{ ...rated[i], question_id: all[i].question_id }] : []))
  }
})
