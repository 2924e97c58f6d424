/** The store that workers share: Redis, or one file of this machine. */
import type { StoreError } from "@gradus/domain/StoreError"
import * as RedisStore from "@gradus/store/redis/RedisStore"
import * as SqliteStore from "@gradus/store/sqlite/SqliteStore"
import * as Duration from "effect/Duration"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { StorePlace, StoreServices } from "../Engines.ts"

const LEASE_SECONDS = 15

/** Opens the store. A Redis that would forget is refused here. */
export const store = (place: StorePlace, lease = LEASE_SECONDS): Layer.Layer<StoreServices, StoreError> => {
  const time = Duration.seconds(lease)
  return place.kind === "redis"
    ? RedisStore.layer({ url: Redacted.value(place.url), ...RedisStore.timesOf(time) })
    : SqliteStore.layer({ file: place.file, lock: time })
}
