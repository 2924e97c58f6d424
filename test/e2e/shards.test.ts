/**
 * A profile that workers measure in shards, as its users have it: real processes, a real redis-server or a real file, a worker killed in the middle. The table
 * is that of one process alone, and the server counts that nothing was asked twice but what was in flight at the kill.
 */
import { startRedis } from "@gradus/testing/RedisServer"
import { type SampleServer, startSampleServer } from "@gradus/testing/SampleServer"
import { assert, describe, it } from "@effect/vitest"
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { onTestFinished } from "vitest"
import { directory, gradus, lastLine, start, until } from "../gradus.ts"

const QUESTIONS = 48
const SAMPLES = 8
const CONCURRENCY = 2

/** Question i is answered rightly by i mod 9 of any eight choices in a row. */
const text = (question: string, serial: number): string => {
  const i = Number(/\d+$/.exec(question)?.[0])
  return `#${serial}: it is ${(serial * 5) % 8 < i % 9 ? i : -1}`
}

const serve = async (delay: number): Promise<SampleServer> => {
  const server = await startSampleServer({ text, delayMillis: () => delay })
  onTestFinished(server.close)
  return server
}

const input = (): string => {
  const file = join(directory(), "questions.jsonl")
  const rows = Array.from({ length: QUESTIONS }, (_, i) => ({ id: `q${i}`, question: `Number ${i}`, answer: i }))
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""))
  return file
}

const flags = (file: string, output: string, server: SampleServer): ReadonlyArray<string> => [
  ..."profile --model m --no-share --json --accuracy numeric --answer numeric_end".split(" "),
  "--input",
  file,
  "--output",
  output,
  "--endpoint",
  server.endpoint,
  "--samples",
  String(SAMPLES),
  "--concurrency",
  String(CONCURRENCY)
]

const lines = (folder: string): number => {
  const file = join(folder, "answers.jsonl")
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 1 : 0
}
const stored = (output: string): ReadonlyArray<any> =>
  readFileSync(join(output, "answers.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
/** What a profile found, whoever measured it. */
const found = (output: string) =>
  Object.entries(Object.groupBy(stored(output), ({ question_id }) => question_id))
    .map(([id, answers = []]) => [
      id,
      answers.map(({ k }) => k).toSorted((a, b) => a - b),
      answers.filter(({ value }) => value === 1).length
    ])
    .toSorted()
const total = (server: SampleServer): number => [...server.asked.values()].reduce((sum, count) => sum + count, 0)
const board = async (runs: string, at: ReadonlyArray<string>): Promise<ReadonlyArray<any>> =>
  lastLine(await gradus("queue", "list", "--runs", runs, ...at, "--json")).jobs

for (const kind of ["one file", "Redis"] as const)
  describe(`a profile in shards, on ${kind}`, () => {
    it("is that of one process, though a worker is killed in the middle, and is not measured again", async () => {
      const file = input()
      const [alone, slow] = [await serve(0), await serve(150)]
      const whole = lastLine(await gradus(...flags(file, join(directory(), "alone"), alone)))
      const runs = directory()
      const redis = kind === "Redis" ? await startRedis() : undefined
      if (redis !== undefined) onTestFinished(() => redis.stop())
      const at = redis === undefined ? [] : ["--redis", redis.url]
      const output = join(runs, "profile")
      const asked = (shards: number) => [
        ...flags(file, output, slow),
        "--runs",
        runs,
        "--shards",
        String(shards),
        ...at
      ]
      // what the first one has is free in seconds; the others keep theirs, also on a machine that stalls for some seconds
      const worker = (lease = 6) =>
        start(["worker", "--runs", runs, ...at, "--lease", String(lease), "--leave-when-idle", "6"])

      const gathering = start(asked(6))
      const killed = worker(2)
      const shards = join(output, "shards")
      const begun = () =>
        existsSync(shards) ? readdirSync(shards).filter((name) => lines(join(shards, name)) > 0) : []
      await until("the worker has answers of a shard", () => begun().length > 0)
      killed.child.kill("SIGKILL")
      await killed.ended
      const perShard = (QUESTIONS * SAMPLES) / 6
      const open = begun().filter((name) => lines(join(shards, name)) < perShard)
      const before = total(slow)
      assert.isBelow(before, QUESTIONS * SAMPLES)
      const rest = [worker(), worker()]
      const ended = await gathering.ended
      assert.strictEqual(ended.code, 0, ended.stderr)
      const result = lastLine(ended)
      for (const one of rest) assert.strictEqual((await one.ended).code, 0)

      assert.deepInclude(result, { questions: QUESTIONS, asked: QUESTIONS * SAMPLES, reused: 0, failed: 0 })
      assert.deepStrictEqual(
        [result.byLevel, result.passed, result.digest],
        [whole.byLevel, whole.passed, whole.digest]
      )
      assert.strictEqual(stored(output).length, QUESTIONS * SAMPLES)
      assert.deepStrictEqual(found(output), found(join(whole.output, "..")))
      const lost = total(slow) - QUESTIONS * SAMPLES
      assert.isAtLeast(lost, 0)
      assert.isAtMost(lost, CONCURRENCY * SAMPLES)
      const jobs = await board(runs, at)
      assert.deepStrictEqual(
        jobs.map(({ name, state }) => [name, state]),
        Array.from({ length: 6 }, (_, i) => [`profile--${whole.digest.slice(0, 12)}--000${i}`, "done"])
      )
      for (const { fence, name } of jobs) assert.strictEqual(fence, open.includes(name) ? 2 : 1, name)

      // again: nothing is asked of anybody, also with another number of shards
      const repeated = await gradus(...asked(3))
      const again = lastLine(repeated)
      assert.include(repeated.stderr, "6 shards for the workers")
      assert.deepInclude(again, { asked: 0, reused: QUESTIONS * SAMPLES, digest: whole.digest })
      assert.strictEqual(total(slow), QUESTIONS * SAMPLES + lost)

      // deleted, it is measured anew, though the store knows its shards as done; at a server that has moved meanwhile
      rmSync(output, { recursive: true })
      const moved = await serve(0)
      const late = worker()
      const anew = lastLine(await gradus(...asked(2).map((arg) => (arg === slow.endpoint ? moved.endpoint : arg))))
      await late.ended
      assert.deepInclude(anew, { asked: QUESTIONS * SAMPLES, reused: 0, digest: whole.digest })
      assert.strictEqual(total(moved), QUESTIONS * SAMPLES)
    })
  })

describe("a profile in shards", () => {
  it("ends with what a worker says of shards that cannot be had; the same command at another server goes on", async () => {
    const [refusing, good] = [
      await startSampleServer({ text, fault: () => ({ kind: "status", status: 403, body: "no" }) }),
      await serve(0)
    ]
    onTestFinished(refusing.close)
    const [runs, file] = [directory(), input()]
    const output = join(runs, "profile")
    const asked = (server: SampleServer) => [...flags(file, output, server), "--runs", runs, "--shards", "2"]
    const worker = () => start(["worker", "--runs", runs, "--leave-when-idle", "6"])
    const one = worker()
    const refused = await gradus(...asked(refusing))
    await one.ended
    assert.strictEqual(refused.code, 1)
    assert.include(refused.stderr, "403")
    const other = worker()
    const ended = await gradus(...asked(good))
    await other.ended
    assert.strictEqual(ended.code, 0, ended.stderr)
    assert.deepInclude(lastLine(ended), { failed: 0, asked: QUESTIONS * SAMPLES })
    assert.strictEqual(total(good), QUESTIONS * SAMPLES)
  })

  it("takes a question that a server refuses for a fact about it, and no failed shard", async () => {
    const refusing = await startSampleServer({
      text,
      fault: ({ question }) =>
        question === "Number 40" ? { kind: "status", status: 400, body: "too long" } : undefined
    })
    onTestFinished(refusing.close)
    const runs = directory()
    const output = join(runs, "profile")
    const asked = [...flags(input(), output, refusing), "--runs", runs, "--shards", "2"]
    const gathering = start(asked)
    const worker = start(["worker", "--runs", runs, "--leave-when-idle", "6"])
    const ended = await gathering.ended
    await worker.ended
    assert.strictEqual(ended.code, 0, ended.stderr)
    assert.deepInclude(lastLine(ended), { failed: SAMPLES, asked: QUESTIONS * SAMPLES })
  })

  it("is refused where workers would not find it, before anything is asked", async () => {
    const server = await serve(0)
    const [runs, file] = [directory(), input()]
    const elsewhere = await gradus(
      ...flags(file, join(directory(), "profile"), server),
      "--runs",
      runs,
      "--shards",
      "2"
    )
    assert.deepStrictEqual([elsewhere.code, total(server)], [2, 0])
    assert.include(elsewhere.stderr, "with --shards it must be a directory in --runs")
    const dotted = await gradus(...flags(file, join(runs, "gsm8k.v2"), server), "--runs", runs, "--shards", "2")
    assert.deepStrictEqual([dotted.code, existsSync(join(runs, "gsm8k.v2"))], [2, false])
    assert.include(dotted.stderr, "its name has letters, digits, - and _")
    const secret = { ...server, endpoint: server.endpoint.replace("http://", "http://user:hunter2@") }
    const open = await gradus(...flags(file, join(runs, "profile"), secret), "--runs", runs, "--shards", "2")
    assert.deepStrictEqual([open.code, existsSync(join(runs, "profile"))], [2, false])
    assert.include(open.stderr, "must hold no user and password")
    assert.notInclude(open.stderr, "hunter2")
  })
})
