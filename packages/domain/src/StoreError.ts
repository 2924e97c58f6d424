/** What can go wrong between a program and its store (Redis, or files of this machine). Each says what to do. */
import * as Schema from "effect/Schema"

/** Where the store is (no password in it), and what was asked of it. */
const asked = { store: Schema.String, operation: Schema.String }

/** The store did not answer in time. */
export class StoreDeadline extends Schema.TaggedError<StoreDeadline>()("StoreDeadline", {
  ...asked,
  millis: Schema.Finite
}) {
  readonly retryable = true
  override get message(): string {
    return `${this.store} did not answer ${this.operation} within ${this.millis} ms; look whether it is up, then run the same command again`
  }
}

/** The store cannot be reached. */
export class StoreUnreachable extends Schema.TaggedError<StoreUnreachable>()("StoreUnreachable", {
  ...asked,
  reason: Schema.String
}) {
  readonly retryable = true
  override get message(): string {
    return `${this.store} cannot be reached for ${this.operation}: ${this.reason}; look whether it is up, then run the same command again`
  }
}

/** The store has no memory or disk left, and got none within the deadline. */
export class StoreFull extends Schema.TaggedError<StoreFull>()("StoreFull", { ...asked, millis: Schema.Finite }) {
  readonly retryable = true
  override get message(): string {
    return `${this.store} had no room for ${this.operation} for ${this.millis} ms; give it more memory (maxmemory), then run the same command again`
  }
}

/** The store holds less than it held before: it was flushed, or an older copy was put in its place. */
export class StoreWentBack extends Schema.TaggedError<StoreWentBack>()("StoreWentBack", {
  store: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.store} went back in time: ${this.reason}. What its leases promised no longer holds, so nothing more was written; see docs/store.md`
  }
}

/** The store may forget what it was told: a setting is not as it must be. */
export class StoreUnsafe extends Schema.TaggedError<StoreUnsafe>()("StoreUnsafe", {
  store: Schema.String,
  setting: Schema.String,
  found: Schema.String,
  wanted: Schema.String
}) {
  override get message(): string {
    return `${this.store} has ${this.setting} = ${this.found}, and it must be ${this.wanted}: with another value it loses leases and work; see docs/store.md`
  }
}

/** The store answered with something else. */
export class StoreFailed extends Schema.TaggedError<StoreFailed>()("StoreFailed", { ...asked, reason: Schema.String }) {
  override get message(): string {
    return `${this.store} failed at ${this.operation}: ${this.reason}`
  }
}

export const StoreError = Schema.Union([
  StoreDeadline,
  StoreUnreachable,
  StoreFull,
  StoreWentBack,
  StoreUnsafe,
  StoreFailed
])
export type StoreError = typeof StoreError.Type
