/** How a judge's endpoint can fail to answer, by the border that broke. None of them holds a key, a header or a body. */
import * as Schema from "effect/Schema"

/** No whole answer came over the wire. */
export class JudgeUnreachable extends Schema.TaggedError<JudgeUnreachable>()("JudgeUnreachable", {
  url: Schema.String,
  reason: Schema.String,
  /** True when the connection broke in the middle of an answer. */
  answering: Schema.Boolean
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

/** Calls to the endpoint are stopped for a while, since too many in a row have failed. */
export class JudgeCircuitOpen extends Schema.TaggedError<JudgeCircuitOpen>()("JudgeCircuitOpen", {
  url: Schema.String,
  /** Milliseconds until it is tried again. */
  retryAfter: Schema.Finite
}) {
  override get message() {
    return `judge ${this.url} is not called for ${Math.ceil(this.retryAfter)} ms: too many failures in a row`
  }
}

/** One more call could spend more than the manifest allows. */
export class JudgeBudgetSpent extends Schema.TaggedError<JudgeBudgetSpent>()("JudgeBudgetSpent", {
  budget: Schema.Finite
}) {
  override get message() {
    return `the judge's budget of ${this.budget} is spent`
  }
}

/** The store that counts requests across processes did not answer. */
export class JudgeLimitUnknown extends Schema.TaggedError<JudgeLimitUnknown>()("JudgeLimitUnknown", {
  reason: Schema.String
}) {
  override get message() {
    return `the judge's rate limit cannot be read: ${this.reason}`
  }
}

/** A budget needs the price of every model that is asked. */
export class JudgeUnpriced extends Schema.TaggedError<JudgeUnpriced>()("JudgeUnpriced", { model: Schema.String }) {
  override get message() {
    return `rewards.judge.budget needs a price of ${this.model} in rewards.judge.prices`
  }
}

export type JudgeFailure =
  | JudgeUnreachable
  | JudgeRefused
  | JudgeReplyMalformed
  | JudgeLate
  | JudgeCircuitOpen
  | JudgeBudgetSpent
  | JudgeLimitUnknown

const TRANSIENT = new Set([408, 425, 429])

/** Says whether a status may be another one later: rate limits, timeouts and 5xx, but not a refused key or a bad request. */
export const isTransientStatus = (status: number): boolean => TRANSIENT.has(status) || status >= 500

/** Says whether the same request may succeed later. */
export const isRetryable = (failure: JudgeFailure): boolean =>
  failure._tag === "JudgeUnreachable" ||
  failure._tag === "JudgeCircuitOpen" ||
  failure._tag === "JudgeLimitUnknown" ||
  (failure._tag === "JudgeRefused" && isTransientStatus(failure.status))

/** Says whether a failure means that the endpoint is down, rather than that it dislikes this request. */
export const isOutage = (failure: JudgeFailure): boolean =>
  failure._tag === "JudgeUnreachable" ||
  failure._tag === "JudgeLate" ||
  failure._tag === "JudgeCircuitOpen" ||
  (failure._tag === "JudgeRefused" && failure.status >= 500)

/** Says whether a failure may end by waiting: the endpoint is down, or has more to do than it takes on. */
export const isWaitedFor = (failure: JudgeFailure): boolean =>
  isOutage(failure) || (failure._tag === "JudgeRefused" && isTransientStatus(failure.status))

/**
 * Says whether a provider may charge for a call that failed: it had begun to answer, or was at work when the time ran out. Refused
 * calls, and those that never got there, are free.
 */
export const isBilled = (failure: JudgeFailure): boolean =>
  failure._tag === "JudgeReplyMalformed" ||
  failure._tag === "JudgeLate" ||
  (failure._tag === "JudgeUnreachable" && failure.answering)

/** Milliseconds that a failure asks to wait; 0 when it does not. */
export const askedWait = (failure: JudgeFailure): number =>
  failure._tag === "JudgeRefused" || failure._tag === "JudgeCircuitOpen" ? (failure.retryAfter ?? 0) : 0
