/** Does this Redis keep what it is told? Looked at before it is used: it must not evict keys, and it must write an append-only file. */
import { StoreUnsafe } from "@gradus/domain/StoreError"
import * as Effect from "effect/Effect"
import { RedisConnection } from "./IoRedis.ts"

/** Reads the `name:value` lines of INFO. */
export const parseInfo = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text.split("\r\n").flatMap((line) => {
      const colon = line.indexOf(":")
      return colon <= 0 || line.startsWith("#") ? [] : [[line.slice(0, colon), line.slice(colon + 1)] as const]
    })
  )

/** What must be, by the names that INFO uses: managed servers forbid CONFIG, and all of them answer INFO. */
const WANTED: ReadonlyArray<readonly [field: string, setting: string, wanted: string]> = [
  ["maxmemory_policy", "maxmemory-policy", "noeviction"],
  ["aof_enabled", "appendonly", "1"],
  ["aof_last_write_status", "the append-only file's last write", "ok"],
  ["role", "role", "master"]
]

/** Finds the settings that are not as they must be. */
export const unsafeSettings = (info: ReadonlyMap<string, string>) =>
  WANTED.flatMap(([field, setting, wanted]) => {
    const found = info.get(field) ?? "unknown"
    return found === wanted ? [] : [{ setting, found, wanted }]
  })

const yesOrNo = (setting: string, value: string): string =>
  setting === "appendonly" ? (value === "1" ? "yes" : value === "0" ? "no" : value) : value

/** Fails when this Redis would forget. */
export const checkSettings = Effect.gen(function* () {
  const { run, store } = yield* RedisConnection
  const text = yield* run("INFO", (client) => client.info())
  const [first] = unsafeSettings(parseInfo(text))
  if (first === undefined) return
  const { found, setting, wanted } = first
  return yield* new StoreUnsafe({ store, setting, found: yesOrNo(setting, found), wanted: yesOrNo(setting, wanted) })
}).pipe(Effect.withSpan("StartCheck.checkSettings"))
