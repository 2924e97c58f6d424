/** What can go wrong between the orchestrator and the trainer service, named for the border that was crossed. */
import * as Schema from "effect/Schema"

/** Reports that the service could not be reached, or that the connection broke before the whole answer came. */
export class TrainerUnreachable extends Schema.TaggedError<TrainerUnreachable>()("TrainerUnreachable", {
  url: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `the trainer at ${this.url} cannot be reached: ${this.reason}`
  }
}

/** Reports a problem that the service answered with (RFC 9457; codes in domain/TrainerWire). */
export class TrainerRefused extends Schema.TaggedError<TrainerRefused>()("TrainerRefused", {
  status: Schema.Int,
  code: Schema.String,
  detail: Schema.String,
  /** The column, metadata key or JSON path that is wrong. */
  field: Schema.optionalKey(Schema.String),
  /** The row that is wrong, from 0. */
  row: Schema.optionalKey(Schema.Int),
  /** The update number that would be taken. */
  expected: Schema.optionalKey(Schema.Int),
  retryable: Schema.Boolean
}) {
  override get message() {
    const field = this.field === undefined ? "" : ` field ${this.field}`
    const row = this.row === undefined ? "" : ` row ${this.row}`
    const expected = this.expected === undefined ? "" : ` (update ${this.expected} is expected)`
    return `the trainer refused: ${this.code} (${this.status})${field}${row}: ${this.detail}${expected}`
  }
}

/** Reports an answer that is not what the protocol says. */
export class TrainerAnswerInvalid extends Schema.TaggedError<TrainerAnswerInvalid>()("TrainerAnswerInvalid", {
  url: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `the trainer's answer from ${this.url} cannot be read: ${this.reason}`
  }
}

/** Reports that the answer did not come in time; the work may still be going on in the service. */
export class TrainerDeadline extends Schema.TaggedError<TrainerDeadline>()("TrainerDeadline", {
  url: Schema.String,
  seconds: Schema.Finite
}) {
  override get message() {
    return `the trainer at ${this.url} did not answer within ${this.seconds} s`
  }
}

/** Everything that a call of the trainer can fail with. */
export type TrainerError = TrainerUnreachable | TrainerRefused | TrainerAnswerInvalid | TrainerDeadline
