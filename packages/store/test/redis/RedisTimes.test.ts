import { assert, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import { queueOptions } from "../../src/PersistedWorkQueue.ts"
import { timesOf } from "../../src/redis/RedisStore.ts"

it.each([1, 2, 15, 600])(
  "the job of a worker that died is locked for longer than its run is leased, also when it died just before it would have kept the lock: --lease %i",
  (seconds) => {
    const { lock, ttl } = timesOf(Duration.seconds(seconds))
    const { lockExpiration, lockRefreshInterval } = queueOptions({ lock })
    const left = Duration.toMillis(lockExpiration) - Duration.toMillis(lockRefreshInterval)
    // an eighth besides, for a lock that is kept a little late
    assert.strictEqual(left, 1.125 * Duration.toMillis(ttl))
    assert.strictEqual(Duration.toMillis(ttl), 1000 * seconds)
  }
)
