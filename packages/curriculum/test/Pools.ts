/** Arbitrary pools for the property tests. */
import type { RatedQuestion } from "@gradus/domain/Profile"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"

const Counts = Schema.Array(
  Schema.Struct({
    scored: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 })),
    share: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 }))
  })
).check(Schema.isMaxLength(60))

/** Pools of 0 to 60 questions with 1 to 9 samples each. */
export const pools = Arbitrary.schema(Counts).pipe(
  Arbitrary.map((rows): ReadonlyArray<RatedQuestion> =>
    rows.map(({ scored, share }, i) => ({ question_id: `q${i}`, scored, passed: Math.min(share, scored) }))
  )
)

export const sizes = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 70 })))
export const seeds = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 40 })))
/** Widths from a thousandth to one. */
export const sigmas = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }))).pipe(
  Arbitrary.map((thousandths) => thousandths / 1000)
)

/** Makes a pool with `counts[k]` questions that were passed k of `scored` times. */
export const poolOf = (counts: ReadonlyArray<number>, scored: number): ReadonlyArray<RatedQuestion> =>
  counts.flatMap((count, passed) =>
    Array.from({ length: count }, (_, i) => ({ question_id: `${passed}/${i}`, passed, scored }))
  )
