/** Live events as a Redis stream a run: listeners wait at the server, on a connection of their own. */
import { LiveEvent, LiveEvents } from "@gradus/domain/LiveEvents"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redis from "effect/persistence/Redis"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { storeError } from "../FailureCause.ts"
import { KEPT_EVENTS } from "../LiveHistory.ts"
import { RedisConnection } from "./IoRedis.ts"
import { KEYS } from "./Keys.ts"

const WAIT_MILLIS = "1000"

const Event = Schema.fromJsonString(LiveEvent)
/** What XREAD answers: entries of the one stream that was asked for, or null after the wait. */
const Entries = Schema.NullOr(
  Schema.Tuple([
    Schema.Tuple([Schema.String, Schema.Array(Schema.Tuple([Schema.String, Schema.Tuple([Schema.String, Event])]))])
  ])
)
const decode = Schema.decodeUnknownEffect(Entries)

const make = Effect.gen(function* () {
  const redis = yield* Redis.Redis
  const { store } = yield* RedisConnection
  const failed = (operation: string) => Effect.mapError(storeError(store, operation))
  const follow = (run: string) =>
    Stream.unwrap(
      Effect.map(redis.reserve, (own) =>
        Stream.paginate("0", (after) =>
          own.send("XREAD", "BLOCK", WAIT_MILLIS, "STREAMS", KEYS.events(run), after).pipe(
            Effect.flatMap((reply) => Effect.orDie(decode(reply))),
            Effect.map((reply) => {
              const entries = reply?.[0][1] ?? []
              return [entries.map(([, [, event]]) => event), Option.some(entries.at(-1)?.[0] ?? after)] as const
            })
          )
        )
      )
    ).pipe(Stream.mapError(storeError(store, "following a run")))
  return LiveEvents.of({
    publish: Effect.fn("RedisLiveEvents.publish")(function* (run, event) {
      const key = KEYS.events(run)
      const args = [key, "MAXLEN", "~", String(KEPT_EVENTS), "*", "event", JSON.stringify(event)]
      yield* redis.send("XADD", ...args).pipe(failed("publishing an event"))
    }),
    follow
  })
})

export const layer: Layer.Layer<LiveEvents, never, RedisConnection | Redis.Redis> = Layer.effect(LiveEvents, make)
