/** The store that workers share: Redis, or one file of this machine. */
import type { StoreError } from "@gradus/domain/StoreError"
import * as RedisStore from "@gradus/store/redis/RedisStore"
import * as SqliteStore from "@gradus/store/sqlite/SqliteStore"
import * as Duration from "effect/Duration"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { StorePlace, StoreServices } from "../Engines.ts"

const LEASE_SECONDS = 15

/** How long who is in the middle of something waits for a Redis that is away. */
const PATIENCE_SECONDS = 60

/** Opens the store. A Redis that would forget is refused here. All times are seconds. */
export const store = (
  place: StorePlace,
  lease = LEASE_SECONDS,
  patience = PATIENCE_SECONDS
): Layer.Layer<StoreServices, StoreError> => {
  const time = Duration.seconds(lease)
  return place.kind === "redis"
    ? RedisStore.layer({
        url: Redacted.value(place.url),
        ...RedisStore.timesOf(time),
        patience: Duration.seconds(patience)
      })
    : SqliteStore.layer({ file: place.file, lock: time })
}
