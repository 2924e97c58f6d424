/** Which store a command works with: `--redis`, else the environment's GRADUS_REDIS, else a file beside the runs. */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Redacted from "effect/Redacted"
import type { StorePlace } from "./Engines.ts"
import { UsageError } from "./UsageError.ts"

/** The environment variable that keeps a password out of process lists. */
const REDIS_VARIABLE = "GRADUS_REDIS"

const isAddress = (text: string): boolean => URL.canParse(text) && /^rediss?:$/.test(new URL(text).protocol)

const checkedAddress = Effect.fnUntraced(function* (url: Redacted.Redacted, from: string) {
  if (!isAddress(Redacted.value(url)))
    return yield* new UsageError({ reason: `${from} must be redis://host:port[/database] or rediss:// for TLS` })
  return { kind: "redis", url } satisfies StorePlace
})

/** Finds the Redis that is asked for; undefined where none is. */
export const redisAddress = Effect.fn("StoreAddress.redis")(function* (option: string | undefined) {
  if (option !== undefined) return yield* checkedAddress(Redacted.make(option), "--redis")
  const variable = yield* Config.option(Config.Redacted(REDIS_VARIABLE))
  return Option.isSome(variable) ? yield* checkedAddress(variable.value, REDIS_VARIABLE) : undefined
})

/** Finds the store of a directory of runs. */
export const storePlace = Effect.fn("StoreAddress.place")(function* (option: string | undefined, runs: string) {
  const path = yield* Path.Path
  const redis = yield* redisAddress(option)
  return redis ?? ({ kind: "file", file: path.resolve(runs, ".store", "store.sqlite") } satisfies StorePlace)
})
