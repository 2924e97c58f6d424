/** What can be wrong with a pool of rated questions. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** Reports a question that cannot be served: an id that occurs twice or is empty, or a pass rate that is none. */
export class PoolInvalid extends Schema.TaggedError<PoolInvalid>()("PoolInvalid", {
  question_id: Schema.String,
  /** Its place in the pool, from 1. */
  row: Schema.Int,
  reason: Schema.String
}) {
  override get message() {
    return `question ${this.question_id} (row ${this.row} of the pool) ${this.reason}`
  }
}

/** Reports a setting with which nothing can be drawn. */
export class CurriculumInvalid extends Schema.TaggedError<CurriculumInvalid>()("CurriculumInvalid", {
  /** Key of the setting, as manifests spell it. */
  key: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `${this.key}: ${this.reason}`
  }
}

/** Runs a function of this package; a setting or a question that it refuses is an expected failure, anything else it throws is a bug. */
export const refusing = <A>(make: () => A): Effect.Effect<A, PoolInvalid | CurriculumInvalid> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(make())
    } catch (cause) {
      return cause instanceof PoolInvalid || cause instanceof CurriculumInvalid ? Effect.fail(cause) : Effect.die(cause)
    }
  })
