/** Effect's key-value store in one Redis hash. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import type { Redis as Client } from "ioredis"
import { Buffer } from "node:buffer"
import { RedisConnection } from "./IoRedis.ts"
import { KEYS } from "./Keys.ts"

const make = Effect.gen(function* () {
  const { run } = yield* RedisConnection
  const call = <A>(method: string, ask: (client: Client) => Promise<A>, key?: string) =>
    run(`${method} of a value`, ask).pipe(
      Effect.mapError(
        (cause) =>
          new KeyValueStore.KeyValueStoreError({
            message: cause.message,
            method,
            cause,
            ...(key === undefined ? {} : { key })
          })
      )
    )
  const hash = KEYS.values
  return KeyValueStore.make({
    get: (key) => call("get", async (client) => (await client.hget(hash, key)) ?? undefined, key),
    getUint8Array: (key) =>
      call("getUint8Array", async (client) => (await client.hgetBuffer(hash, key)) ?? undefined, key),
    set: (key, value) =>
      call(
        "set",
        (client) => client.call("HSET", [hash, key, typeof value === "string" ? value : Buffer.from(value)]),
        key
      ),
    remove: (key) => call("remove", (client) => client.hdel(hash, key), key),
    clear: call("clear", (client) => client.del(hash)),
    size: call("size", (client) => client.hlen(hash)),
    keys: call("keys", (client) => client.hkeys(hash))
  })
})

export const layer: Layer.Layer<KeyValueStore.KeyValueStore, never, RedisConnection> = Layer.effect(
  KeyValueStore.KeyValueStore,
  make
)
