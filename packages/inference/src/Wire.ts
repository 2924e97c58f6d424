/**
 * The port of plain HTTP exchanges for clients that keep thousands of requests in flight: a body out, a status and a text back, within a deadline.
 * Effect's own client has about 0.65 of the rate of a bare connection pool (docs/benchmarks); applications put the pool behind this port.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

export interface WireRequest {
  readonly method: "GET" | "POST"
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** Time for the whole exchange, waiting for a connection included. */
  readonly deadlineMillis: number
}

/** Any answer, whatever its status. */
export interface WireAnswer {
  readonly status: number
  /** The Retry-After header as it came. */
  readonly retryAfter: string | undefined
  readonly text: string
}

/** No whole answer came. */
export class WireBroken extends Schema.TaggedError<WireBroken>()("WireBroken", {
  url: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.url}: ${this.reason}`
  }
}

export class Wire extends Context.Service<
  Wire,
  {
    /** Sends a request; an interrupt gives it up and closes its connection. */
    readonly send: (request: WireRequest) => Effect.Effect<WireAnswer, WireBroken>
  }
>()("@gradus/inference/Wire") {}
