/** A real redis-server for a part of the torture, gone with it. */
import type * as Seed from "@gradus/domain/Seed"
import { startRedis } from "@gradus/testing/RedisServer"

/** Milliseconds between two kills of the server, at most. */
const APART_MILLIS = 6000
/** Milliseconds that it is away, at most. */
const AWAY_MILLIS = 400

/** Starts it; `await using` stops it. `troubled` ends it by kill -9 at any moment while work goes on; it comes back from its append-only file. */
export const redisServer = async () => {
  const server = await startRedis()
  const wait = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))
  return {
    url: server.url,
    /** Gives what came of the work, and how often the server was killed meanwhile. */
    troubled: async <A>(stream: Seed.Stream, work: Promise<A>): Promise<readonly [A, number]> => {
      let [kills, over] = [0, false]
      const trouble = async () => {
        for (;;) {
          await wait(1 + stream.below(APART_MILLIS))
          if (over) return
          await server.kill()
          kills++
          await wait(stream.below(AWAY_MILLIS))
          await server.restart()
        }
      }
      const troubling = trouble()
      try {
        return [await work, kills]
      } finally {
        over = true
        await troubling
      }
    },
    [Symbol.asyncDispose]: () => server.stop()
  }
}
