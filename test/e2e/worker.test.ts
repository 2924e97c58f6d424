/**
 * Workers as their users have them: real processes, a real redis-server or a real file, killed, stopped and told to leave. Only the policy is simulated.
 * Whatever happens to workers, the run ends with the bytes of one that nothing happened to.
 */
import { type RedisServer, startRedis } from "@gradus/testing/RedisServer"
import { assert, describe, it } from "@effect/vitest"
import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { onTestFinished } from "vitest"
import { directory, type Ended, lastLine, root, type Started, startProgram, until } from "../gradus.ts"

const program = join(root, "torture/simulatedGradus.ts")
const manifest = join(root, "torture/simulated.yaml")

const start = (args: ReadonlyArray<string>, slow = 0): Started =>
  startProgram(program, args, { GRADUS_SLOW: String(slow), NODE_COMPILE_CACHE: join(root, ".cache/compile") })
const gradus = (...args: ReadonlyArray<string>): Promise<Ended> => start(args).ended

interface Place {
  readonly runs: string
  /** What names the store in commands. */
  readonly at: ReadonlyArray<string>
}

const files = (): Promise<Place> => Promise.resolve({ runs: directory(), at: [] })
const redis = async (): Promise<Place & { server: RedisServer }> => {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  return { runs: directory(), at: ["--redis", server.url], server }
}

const journal = (run: string): ReadonlyArray<any> => {
  const file = join(run, "events.ndjson")
  if (!existsSync(file)) return []
  return readFileSync(file, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}
const count = (run: string, tag: string): number => journal(run).filter(({ _tag }) => _tag === tag).length
const steps = (run: string): number => count(run, "step_finished")

/** What a run must have in common with one that nothing happened to: the digest of its metrics, its weights, and each update once, in order. */
const outcome = (run: string) => {
  const events = journal(run)
  return {
    metrics: createHash("sha256")
      .update(readFileSync(join(run, "metrics.ndjson")))
      .digest("hex"),
    weights: events.findLast((event) => event.stage === "train")?.weights,
    updates: events.flatMap((event) => (event._tag === "update_applied" ? [[event.update, event.digest]] : [])),
    finished: count(run, "run_finished")
  }
}

let once: Promise<ReturnType<typeof outcome>> | undefined
const undisturbed = () =>
  (once ??= gradus("run", manifest, "--runs", directory(), "--no-report", "--json").then((ended) =>
    outcome(lastLine(ended).dir)
  ))

const add = async ({ at, runs }: Place, ...more: ReadonlyArray<string>): Promise<string> =>
  lastLine(await gradus("queue", "add", manifest, "--runs", runs, ...at, "--json", ...more)).dir
const jobs = async ({ at, runs }: Place): Promise<ReadonlyArray<any>> =>
  lastLine(await gradus("queue", "list", "--runs", runs, ...at, "--json")).jobs
const worker = ({ at, runs }: Place, slow: number, lease: number, ...more: ReadonlyArray<string>): Started =>
  start(["worker", "--runs", runs, ...at, "--no-report", "--lease", String(lease), ...more], slow)
/** A worker that is to be outlived: what it had is free in seconds. */
const work = (place: Place, slow: number, ...more: ReadonlyArray<string>): Started => worker(place, slow, 2, ...more)
/** A worker that keeps what it has, also on a machine that does not let it run for some seconds. */
const steady = (place: Place, slow: number, ...more: ReadonlyArray<string>): Started => worker(place, slow, 6, ...more)

/** The numbers of the deliveries that a worker was given. */
const deliveries = ({ stderr }: Ended): ReadonlyArray<number> =>
  [...stderr.matchAll(/: taken(?:, delivery (\d+))?$/gm)].map(([, number]) => Number(number ?? 1))

for (const [name, open] of [
  ["one file", files],
  ["Redis", redis]
] as const)
  describe(`workers on ${name}`, () => {
    it("one is killed, the next is told to stop, the third ends the run: nothing is lost and nothing done twice", async () => {
      const whole = await undisturbed()
      const place = await open()
      const run = await add(place)
      const killed = work(place, 60)
      await until("two steps are done", () => steps(run) >= 2)
      killed.child.kill("SIGKILL")
      await killed.ended
      const stopped = steady(place, 60)
      await until("the next worker has the run", () => count(run, "run_started") === 2)
      const before = steps(run)
      await until("it does another step", () => steps(run) > before)
      const told = performance.now()
      stopped.child.kill("SIGTERM")
      const left = await stopped.ended
      // five seconds and what a starved machine takes
      assert.isBelow(performance.now() - told, 15_000)
      assert.strictEqual(left.code, 0, left.stderr)
      // the first one was found dead and its job handed out again, with no word of its own
      const delivered = deliveries(left)
      assert.strictEqual(delivered[0], 2, left.stderr)
      assert.include(left.stderr, "what was not finished goes to another worker")
      const last = steady(place, 0, "--leave-when-idle", "3")
      const ended = await last.ended
      assert.strictEqual(ended.code, 0, ended.stderr)
      // it was given back: that is no delivery
      assert.deepStrictEqual(deliveries(ended), delivered.slice(-1), ended.stderr)
      assert.deepStrictEqual(outcome(run), whole)
      const [job] = await jobs(place)
      assert.deepInclude(job, { state: "done", attempt: 1, fence: 3 })
      assert.include(job.worker, `process ${last.child.pid}`)
    })

    it("one is killed when its run is finished and the board does not know it: the next one says so, though the record is another's", async () => {
      const place = await open()
      const run = await add(place)
      const args = ["worker", "--runs", place.runs, ...place.at, "--no-report", "--lease", "2"]
      const killed = await startProgram(program, args, { GRADUS_KILL_AT: "run_finished:synced#1" }).ended
      assert.strictEqual(killed.code, null, killed.stderr)
      assert.deepStrictEqual([count(run, "run_finished"), (await jobs(place))[0].state], [1, "running"])
      const last = work(place, 0, "--leave-when-idle", "5")
      const ended = await last.ended
      assert.strictEqual(ended.code, 0, ended.stderr)
      const [job] = await jobs(place)
      assert.deepInclude(job, { state: "done", attempt: 1, fence: 2 })
      assert.include(job.worker, `process ${last.child.pid}`)
      assert.deepStrictEqual(outcome(run), await undisturbed())
    })
  })

describe("workers on Redis", () => {
  it("share the jobs: each is done once, also one that was asked for twice", async () => {
    const place = await redis()
    const runs = [await add(place, "-s", "seed=1"), await add(place, "-s", "seed=2"), await add(place, "-s", "seed=1")]
    assert.strictEqual(new Set(runs).size, 2)
    const two = [1, 2].map(() => steady(place, 20, "--leave-when-idle", "3"))
    const ended = await Promise.all(two.map((one) => one.ended))
    for (const { code, stderr } of ended) assert.strictEqual(code, 0, stderr)
    for (const run of runs) assert.deepStrictEqual([count(run, "run_started"), count(run, "run_finished")], [1, 1], run)
    assert.strictEqual(readdirSync(place.runs).filter((file) => !file.startsWith(".")).length, 2)
  })

  it("one is stopped past its lease and woken: the other has the run, and nothing that the first does reaches it", async () => {
    const whole = await undisturbed()
    const place = await redis()
    const run = await add(place)
    const first = work(place, 60)
    await until("two steps are done", () => steps(run) >= 2)
    first.child.kill("SIGSTOP")
    const second = steady(place, 60, "--leave-when-idle", "10")
    await until("the other worker has the run", () => count(run, "run_started") === 2)
    first.child.kill("SIGCONT")
    await first.said("is lost; another process goes on with the run")
    const taken = await second.ended
    assert.strictEqual(taken.code, 0, taken.stderr)
    first.child.kill("SIGTERM")
    assert.strictEqual((await first.ended).code, 0)
    assert.deepStrictEqual(outcome(run), whole)
  })

  it("a redis-server that is killed by -9 comes back from its file and the run goes on; a flushed one stops it, and it is said", async () => {
    const whole = await undisturbed()
    const place = await redis()
    const run = await add(place)
    const one = steady(place, 100)
    await until("a step is done", () => steps(run) >= 1)
    await place.server.kill()
    const before = steps(run)
    await place.server.restart()
    await until("two more steps are done", () => steps(run) >= before + 2)
    assert.strictEqual(count(run, "run_started"), 1)
    await place.server.command("FLUSHALL")
    const ended = await one.ended
    assert.strictEqual(ended.code, 1, ended.stderr)
    assert.include(ended.stderr, "went back in time: it is empty (flushed, or another server)")
    assert.isBelow(steps(run), 8)
    // whoever asks for the run again has it go on: what counts lies in its directory
    assert.strictEqual(await add(place), run)
    const last = await steady(place, 0, "--leave-when-idle", "3").ended
    assert.strictEqual(last.code, 0, last.stderr)
    assert.deepStrictEqual(outcome(run), whole)
  })

  it("a Redis that would forget is refused, and so is an address that is none: its password is not said", async () => {
    const server = await startRedis({ settings: { appendonly: "no" } })
    onTestFinished(() => server.stop())
    const forgetting = await gradus("worker", "--redis", server.url, "--runs", directory())
    assert.strictEqual(forgetting.code, 2)
    assert.include(forgetting.stderr, "has appendonly = no, and it must be yes")
    await server.kill()
    const none = await gradus("worker", "--redis", server.url, "--runs", directory())
    assert.strictEqual(none.code, 75)
    assert.include(none.stderr, "ECONNREFUSED")
    const wrong = await gradus("worker", "--redis", "http://me:hunter2@localhost", "--runs", directory())
    assert.strictEqual(wrong.code, 2)
    assert.notInclude(wrong.stderr, "hunter2")
  })
})
