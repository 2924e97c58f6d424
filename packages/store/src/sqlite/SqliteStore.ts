/** The store in one file, for any number of processes of one machine: no server. Rate limits alone live in the process. */
import type { StoreError } from "@gradus/domain/StoreError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as PersistedQueue from "effect/persistence/PersistedQueue"
import * as Persistence from "effect/persistence/Persistence"
import * as RateLimiter from "effect/persistence/RateLimiter"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as EmbeddedRunLease from "../EmbeddedRunLease.ts"
import { storeError } from "../FailureCause.ts"
import * as WorkQueueLayer from "../PersistedWorkQueue.ts"
import * as NodeSqlite from "./NodeSqlite.ts"
import * as SqliteJobBoard from "./SqliteJobBoard.ts"
import * as SqliteLiveEvents from "./SqliteLiveEvents.ts"
import type { StoreServices } from "../StoreServices.ts"

export type SqliteStoreOptions = NodeSqlite.SqliteOptions & WorkQueueLayer.QueueTimes

const queue = (options: SqliteStoreOptions) =>
  Layer.unwrap(
    Effect.map(SqlClient.SqlClient, (sql) =>
      WorkQueueLayer.layer(
        {
          store: options.file,
          check: sql`SELECT 1`.pipe(Effect.asVoid, Effect.mapError(storeError(options.file, "the check")))
        },
        options
      )
    )
  ).pipe(Layer.provide(WorkQueueLayer.factory(PersistedQueue.layerStoreSql(WorkQueueLayer.queueOptions(options)))))

/** All that a store does. */
export const layer = (options: SqliteStoreOptions): Layer.Layer<StoreServices, StoreError> => {
  const opening = (error: SqlError) => storeError(options.file, "opening")(error)
  return Layer.mergeAll(
    EmbeddedRunLease.layer,
    queue(options),
    SqliteJobBoard.layer(options.file),
    SqliteLiveEvents.layer(options.file),
    KeyValueStore.layerSql({ table: "value" }),
    Persistence.layerSql,
    RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory))
  ).pipe(
    Layer.provide(NodeSqlite.layer(options)),
    Layer.catch((error) => Layer.effectContext(Effect.fail(opening(error))))
  )
}
