/** plan.parquet: one row a question drawn, so that a plan is also the reordered data set. */
import { PlannedBatch } from "@gradus/domain/Plan"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { TableUnreadable } from "./DatasetErrors.ts"
import { encodeTable } from "./Table.ts"
import { decodeRows, shapesOf } from "./Parquet.ts"

export const PlanRow = Schema.Struct({
  batch: PlannedBatch.fields.batch,
  /** Place in the batch, from 0. */
  position: Schema.Int,
  question_id: Schema.String,
  targetMean: PlannedBatch.fields.targetMean,
  achievedMean: PlannedBatch.fields.achievedMean,
  fill: PlannedBatch.fields.fill
})
export type PlanRow = typeof PlanRow.Type

/** Encodes a plan, column by column; what is said of a batch is repeated in each of its rows. Batches are not empty. */
export const encodePlan = (batches: ReadonlyArray<PlannedBatch>): Effect.Effect<Uint8Array> => {
  const repeated = <A>(of: (batch: PlannedBatch) => A): Array<A> =>
    batches.flatMap((batch) => batch.questions.map(() => of(batch)))
  const values: Readonly<Record<string, ReadonlyArray<unknown>>> = {
    batch: repeated(({ batch }) => batch),
    position: batches.flatMap(({ questions }) => questions.map((_, position) => position)),
    question_id: batches.flatMap(({ questions }) => questions),
    targetMean: repeated(({ targetMean }) => targetMean),
    achievedMean: repeated(({ achievedMean }) => achievedMean),
    fill: repeated(({ fill }) => fill)
  }
  return encodeTable(shapesOf(PlanRow).map((shape) => ({ ...shape, values: values[shape.name] ?? [] })))
}

/** Decodes a plan: the batches in their order, each with its questions in theirs. */
export const decodePlan = (
  bytes: Uint8Array,
  table = "plan.parquet"
): Effect.Effect<ReadonlyArray<PlannedBatch>, TableUnreadable> =>
  Effect.map(decodeRows(PlanRow, bytes, table), (rows) => {
    const batches = new Map<number, PlannedBatch & { readonly questions: Array<string> }>()
    for (const { achievedMean, batch, fill, question_id, targetMean } of rows) {
      const known = batches.get(batch)
      if (known === undefined) batches.set(batch, { batch, questions: [question_id], targetMean, achievedMean, fill })
      else known.questions.push(question_id)
    }
    return [...batches.values()]
  })
