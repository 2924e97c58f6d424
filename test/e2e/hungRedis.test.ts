/**
 * A redis-server that hangs (SIGSTOP: it accepts, and answers nothing) under whole commands: each call ends by its deadline with an error by name, the process is
 * gone soon after, and says what to do; when the server is back the same command does it.
 */
import { startRedis } from "@gradus/testing/RedisServer"
import { assert, describe, it } from "@effect/vitest"
import { existsSync, readFileSync } from "node:fs"
import { connect, createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { basename, join } from "node:path"
import { onTestFinished } from "vitest"
import { eventsOf } from "../Events.ts"
import { directory, lastLine, root, start, type Started, startProgram, until } from "../gradus.ts"

/** Seconds that one call of a Redis may take. */
const CALL = 5
/** Seconds that a run or a worker under way waits for a Redis that is away: of these tests, and of users. */
const PATIENCE = 3
const GONE_WITHIN = 10
/** Seconds that a timer may be late in a process on a machine whose cores are all taken. */
const LATE = 0.5

const simulated = (args: ReadonlyArray<string>): Started =>
  startProgram(join(root, "torture/simulatedGradus.ts"), args, {
    GRADUS_SLOW: "100",
    GRADUS_PATIENCE: String(PATIENCE),
    NODE_COMPILE_CACHE: join(root, ".cache/compile")
  })
const manifest = join(root, "torture/simulated.yaml")

/** Stands before a server, and takes the time of each connection from the first bytes that it brings to its end. */
const relay = async (port: number) => {
  const asked: Array<{ readonly from: number; readonly to: number }> = []
  const server = createServer((socket) => {
    const behind = connect(port, "127.0.0.1")
    let since: number | undefined
    socket.on("data", () => (since ??= performance.now()))
    socket.on("close", () => {
      if (since !== undefined) asked.push({ from: since, to: performance.now() })
      behind.destroy()
    })
    for (const one of [socket, behind]) one.on("error", () => one.destroy())
    socket.pipe(behind).pipe(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => void server.close())
  return { url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

const redis = async () => {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  return server
}

const steps = (run: string): number => {
  const file = join(run, "events.ndjson")
  if (!existsSync(file)) return 0
  // read while it is written: what follows the last line break is no line yet
  const text = readFileSync(file, "utf8")
  const whole = text.slice(0, text.lastIndexOf("\n") + 1)
  if (whole === "") return 0
  return eventsOf(whole).filter(({ _tag }) => _tag === "step_finished").length
}

describe("a redis-server that hangs", () => {
  for (const command of ["worker", "run"] as const)
    it(`when \`gradus ${command}\` begins, is an error by its deadline that says what to do`, async () => {
      const server = await redis()
      const { asked, url } = await relay(server.port)
      server.pause()
      const tiny = command === "run" ? [join(root, "test/e2e/tiny.yaml")] : []
      const ended = await start([command, ...tiny, "--redis", url, "--runs", directory()]).ended
      const gone = performance.now()
      assert.strictEqual(ended.code, 75, ended.stderr)
      assert.include(ended.stderr, `${url} did not answer connecting within ${1000 * CALL} ms`)
      assert.include(ended.stderr, "look whether it is up, then run the same command again")
      assert.isAbove(asked.length, 0)
      for (const { from, to } of asked) {
        assert.isAtLeast((to - from) / 1000, CALL - LATE)
        assert.isAtMost((to - from) / 1000, 1.1 * CALL + LATE)
        assert.isBelow((gone - to) / 1000, GONE_WITHIN)
      }
    })

  it("under a worker and a run that are in the middle, is waited for, and then an error; when it is back both go on", async () => {
    const server = await redis()
    // one database holds one set of runs
    const on = {
      worked: ["--redis", `${server.url}/1`, "--runs", directory()],
      ran: ["--redis", `${server.url}/2`, "--runs", directory()]
    }
    const job: string = lastLine(await simulated(["queue", "add", manifest, ...on.worked, "--json"]).ended).dir
    const runs = [job, join(on.ran.at(-1) ?? "", basename(job))]
    const lease = ["--lease", "2"]
    const both = [simulated(["worker", ...on.worked, ...lease]), simulated(["run", manifest, ...on.ran, ...lease])]
    await until("both have done a step", () => runs.every((run) => steps(run) >= 1))
    server.pause()
    const since = performance.now()
    const ended = await Promise.all(both.map((one) => one.ended))
    const seconds = (performance.now() - since) / 1000
    for (const { code, stderr } of ended) {
      assert.strictEqual(code, 75, stderr)
      assert.match(stderr, /redis:\/\/127\.0\.0\.1:\d+\/\d did not answer [a-z ]+ within \d+ ms/)
      assert.include(stderr, "look whether it is up, then run the same command again")
      // what the error itself says of its wait: one call, or the patience and the call in which it ran out
      for (const [, millis] of stderr.matchAll(/within (\d+) ms; look/g))
        assert.isAtMost(Number(millis) / 1000, 1.1 * (PATIENCE + CALL) + LATE)
    }
    assert.include(ended[1]?.stderr, "gradus resume")
    assert.isAtMost(seconds, 1.1 * (PATIENCE + CALL) + GONE_WITHIN)
    const before = runs.map(steps)
    server.unpause()
    // the run goes on as a job: no word of the first owner is needed
    await simulated(["queue", "add", manifest, ...on.ran, "--json"]).ended
    const idle = [...lease, "--leave-when-idle", "5"]
    const next = [simulated(["worker", ...on.worked, ...idle]), simulated(["worker", ...on.ran, ...idle])]
    for (const { code, stderr } of await Promise.all(next.map((one) => one.ended))) assert.strictEqual(code, 0, stderr)
    const calm = lastLine(await simulated(["run", manifest, "--runs", directory(), "--json"]).ended).dir
    const metrics = (run: string) => readFileSync(join(run, "metrics.ndjson"), "utf8")
    for (const [i, run] of runs.entries()) {
      assert.isAbove(steps(run), before[i] ?? NaN)
      assert.strictEqual(metrics(run), metrics(calm))
    }
  })
})
