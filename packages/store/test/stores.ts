/** The stores that every contract is checked with: files of this machine, and each redis-server that is here. */
import { type RedisServer, redisBinaries, startRedis } from "@gradus/testing/RedisServer"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** A server that is stopped with the scope. */
export const redisServer = (options: Parameters<typeof startRedis>[0] = {}) =>
  Effect.acquireRelease(
    Effect.promise(() => startRedis(options)),
    (server: RedisServer) => Effect.promise(() => server.stop())
  )

/** A directory that is removed with the scope. */
export const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "gradus-store-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

export const servers = redisBinaries()
