/** Live events in a table: listeners look ten times a second, since files do not call. */
import { LiveEvent, LiveEvents } from "@gradus/domain/LiveEvents"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Stream from "effect/Stream"
import { storeError } from "../FailureCause.ts"
import { KEPT_EVENTS } from "../LiveHistory.ts"

const Rows = Schema.Array(Schema.Struct({ id: Schema.Int, event: Schema.fromJsonString(LiveEvent) }))
const decode = Schema.decodeUnknownEffect(Rows)

const make = Effect.fnUntraced(function* (store: string) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE IF NOT EXISTS live_event
    (id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, event TEXT NOT NULL)`
  yield* sql`CREATE INDEX IF NOT EXISTS live_event_run ON live_event (run, id)`
  const failed = (operation: string) => Effect.mapError(storeError(store, operation))
  const after = (run: string, id: number) =>
    sql`SELECT id, event FROM live_event WHERE run = ${run} AND id > ${id} ORDER BY id`.pipe(
      failed("following a run"),
      Effect.flatMap((rows) => Effect.orDie(decode(rows)))
    )
  return LiveEvents.of({
    publish: Effect.fn("SqliteLiveEvents.publish")(function* (run, event) {
      yield* sql`INSERT INTO live_event (run, event) VALUES (${run}, ${JSON.stringify(event)})`.pipe(
        Effect.andThen(sql`DELETE FROM live_event WHERE run = ${run} AND id <=
          (SELECT id FROM live_event WHERE run = ${run} ORDER BY id DESC LIMIT 1 OFFSET ${KEPT_EVENTS})`),
        failed("publishing an event")
      )
    }),
    follow: (run) =>
      Stream.paginate(0, (id) =>
        Effect.gen(function* () {
          const rows = yield* after(run, id)
          if (rows.length === 0) yield* Effect.sleep("100 millis")
          return [rows.map(({ event }) => event), Option.some(rows.at(-1)?.id ?? id)] as const
        })
      )
  })
})

/** `store` is how the file is called in errors. */
export const layer = (store: string): Layer.Layer<LiveEvents, SqlError, SqlClient.SqlClient> =>
  Layer.effect(LiveEvents, make(store))
