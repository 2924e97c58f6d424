/** What can be wrong with a pool of rated questions. */
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
