/**
 * `node torture/redisKills.ts --count 200`: redis-server is killed by -9 at any moment while records and jobs are written, and comes back from its append-only
 * file. What was acknowledged must be there, and a client that waited must not notice more than the wait.
 */
import { type Job, jobId, type JobRecord } from "@gradus/domain/Job"
import * as Seed from "@gradus/domain/Seed"
import { JobBoard, WorkQueue } from "@gradus/domain/WorkQueue"
import { layer as redisStore } from "@gradus/store/redis/RedisStore"
import { type RedisBinary, redisBinaries, startRedis } from "@gradus/testing/RedisServer"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { options } from "./options.ts"
import { bound, report } from "./result.ts"

const AT_MOST_MILLIS = 60

const record = (fence: number): JobRecord => ({
  format: 1,
  name: "run",
  attempt: 1,
  state: "running",
  fence,
  changed: 0
})
const job: Job = {
  _tag: "run",
  format: 1,
  run: "run",
  written: "",
  base: "/",
  resolved: { digest: "", manifest: null, provenance: [] }
}

/** Kills one server again and again. Gives what was acknowledged and is not there, and how often a waiting client failed. */
const kills = Effect.fnUntraced(function* (binary: RedisBinary, count: number, stream: Seed.Stream) {
  const server = yield* Effect.acquireRelease(
    Effect.promise(() => startRedis({ binary })),
    (one) => Effect.promise(() => one.stop())
  )
  const client = yield* Layer.build(redisStore({ url: server.url, deadline: "30 seconds", poll: "5 millis" }))
  let [acknowledged, lost, written, taken] = [0, 0, 0, 0]
  const offered = new Set<string>()
  const write = Effect.gen(function* () {
    const board = yield* JobBoard
    const queue = yield* WorkQueue
    for (;;) {
      yield* board.put(record(written + 1))
      written++
      const id = jobId({ name: "run", attempt: written })
      yield* queue.offer(id, job)
      offered.add(id)
    }
  }).pipe(Effect.provide(client))
  const writing = yield* Effect.forkChild(write)
  for (let i = 0; i < count; i++) {
    yield* Effect.sleep(1 + stream.below(AT_MOST_MILLIS))
    yield* Effect.promise(server.kill)
    acknowledged = written
    yield* Effect.promise(server.restart)
    const found = yield* Effect.provide(
      JobBoard.use((board) => board.get("run")),
      client
    )
    if ((found?.fence ?? 0) < acknowledged) lost++
  }
  yield* Fiber.interrupt(writing)
  const seen = new Set<string>()
  while (seen.size < offered.size && taken < 3 * offered.size) {
    const id = yield* Effect.provide(
      WorkQueue.use((queue) => queue.take((_, at) => Effect.succeed(at.id))),
      client
    ).pipe(Effect.timeoutOption("20 seconds"))
    if (id._tag === "None") break
    taken++
    seen.add(id.value)
  }
  return {
    kills: count,
    writes: written,
    lost,
    jobs: offered.size,
    missing: [...offered].filter((id) => !seen.has(id)).length
  }
}, Effect.scoped)

if (import.meta.main) {
  const asked = options({ count: 200 })
  const started = performance.now()
  const servers = redisBinaries()
  const counts: Record<string, number | string> = {}
  let [lost, total] = [0, 0]
  for (const [i, binary] of servers.entries()) {
    const share = Math.floor((asked.count + i) / servers.length)
    const stream = Seed.stream(Seed.child(Seed.root(asked.seed), binary.version))
    const made = await Effect.runPromise(kills(binary, share, stream))
    lost += made.lost + made.missing
    total += made.kills
    for (const [name, value] of Object.entries(made)) counts[`Redis ${binary.version}: ${name}`] = value
  }
  report({
    part: "redis-kills",
    options: asked,
    seconds: (performance.now() - started) / 1000,
    held: lost === 0,
    counts: { kills: total, ...counts, "acknowledged and lost": lost, "bound (95 %)": bound(total) }
  })
}
