/** How a judge's endpoint can fail to answer, by the border that broke. None of them holds a key, a header or a body. */
import * as Schema from "effect/Schema"

/** No whole answer came over the wire. */
export class JudgeUnreachable extends Schema.TaggedError<JudgeUnreachable>()("JudgeUnreachable", {
  url: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `judge ${this.url} unreachable: ${this.reason}`
  }
}

/** The endpoint answered with a status other than 2xx. */
export class JudgeRefused extends Schema.TaggedError<JudgeRefused>()("JudgeRefused", {
  url: Schema.String,
  status: Schema.Int,
  /** Milliseconds that the endpoint asks to wait; null when it does not say. */
  retryAfter: Schema.NullOr(Schema.Finite)
}) {
  override get message() {
    return `judge ${this.url} answered with status ${this.status}`
  }
}

/** The endpoint answered 2xx with something that is not a chat completion. */
export class JudgeReplyMalformed extends Schema.TaggedError<JudgeReplyMalformed>()("JudgeReplyMalformed", {
  url: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `judge ${this.url} answered with something that is not a chat completion: ${this.reason}`
  }
}

/** The time for one judgement ran out, all its attempts together. */
export class JudgeLate extends Schema.TaggedError<JudgeLate>()("JudgeLate", {
  url: Schema.String,
  seconds: Schema.Finite
}) {
  override get message() {
    return `judge ${this.url} did not answer in ${this.seconds} s`
  }
}

export type JudgeFailure = JudgeUnreachable | JudgeRefused | JudgeReplyMalformed | JudgeLate

/** Says whether the same request may succeed later. */
export const isRetryable = (failure: JudgeFailure): boolean =>
  failure._tag === "JudgeUnreachable" ||
  (failure._tag === "JudgeRefused" && (failure.status === 429 || failure.status >= 500))
