/** The verdict cache on Redis: what a judge said once is known on every host. Verdicts go after a month, since the server may not evict any key. */
import { Verdict } from "@gradus/domain/Score"
import { VerdictCache } from "@gradus/domain/VerdictCache"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { RedisConnection } from "./IoRedis.ts"
import { KEYS } from "./Keys.ts"

const Stored = Schema.fromJsonString(Verdict)
const decode = Schema.decodeUnknownOption(Stored)
const encode = Schema.encodeSync(Stored)

const KEPT_SECONDS = 30 * 24 * 3600

/** Keeps each verdict under its key. What cannot be read, or not be written, costs another judgement and nothing else. */
export const layer: Layer.Layer<VerdictCache, never, RedisConnection> = Layer.effect(
  VerdictCache,
  Effect.map(RedisConnection, ({ run }) => ({
    get: (key) =>
      run("reading a verdict", (client) => client.get(KEYS.verdict(key))).pipe(
        Effect.map((text) => (text === null ? undefined : Option.getOrUndefined(decode(text)))),
        Effect.orElseSucceed(() => undefined)
      ),
    put: (key, verdict) =>
      Effect.ignore(
        run("keeping a verdict", (client) => client.set(KEYS.verdict(key), encode(verdict), "EX", KEPT_SECONDS))
      )
  }))
)
