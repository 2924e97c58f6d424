/** What is heard of a run while it works, by whoever listens on any host. The newest thousand are kept; files are the truth. The port; packages/store implements it. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type { StoreError } from "./StoreError.ts"

export const LiveEvent = Schema.Struct({
  stage: Schema.String,
  done: Schema.Finite,
  total: Schema.Finite,
  unit: Schema.String,
  note: Schema.optionalKey(Schema.String)
})
export type LiveEvent = typeof LiveEvent.Type

export class LiveEvents extends Context.Service<
  LiveEvents,
  {
    readonly publish: (run: string, event: LiveEvent) => Effect.Effect<void, StoreError>
    /** What was kept, then what comes, in order. It never ends. */
    readonly follow: (run: string) => Stream.Stream<LiveEvent, StoreError>
  }
>()("@gradus/domain/LiveEvents") {}
