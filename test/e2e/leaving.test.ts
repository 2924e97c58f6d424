/**
 * A worker that is told to leave (SIGTERM) while it does what real ones do: trains with the real trainer, measures a profile at a server. It leaves in time and in
 * order, and the next worker goes on from what is on disk.
 */
import { startRedis } from "@gradus/testing/RedisServer"
import { startSampleServer } from "@gradus/testing/SampleServer"
import { assert, describe, it } from "@effect/vitest"
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { onTestFinished } from "vitest"
import { eventsOf } from "../Events.ts"
import { directory, gradus, lastLine, root, runs as isRunning, start, until } from "../gradus.ts"

/** Within so many seconds, and a step, a worker that is told to leave has left. */
const LEAVES_WITHIN = 5
/** What a machine that runs other tests beside may take from it. */
const STARVED = 2
const BACK = "what was not finished goes to another worker"

const journal = (run: string): ReadonlyArray<any> => {
  const file = join(run, "events.ndjson")
  return existsSync(file) ? eventsOf(readFileSync(file, "utf8")) : []
}
const count = (run: string, tag: string): number => journal(run).filter(({ _tag }) => _tag === tag).length

/** What a run must have in common with one that was left alone. */
const outcome = (run: string) => {
  const events = journal(run)
  return {
    metrics: readFileSync(join(run, "metrics.ndjson"), "utf8"),
    weights: events.findLast(({ stage }) => stage === "train")?.weights,
    updates: events.flatMap((event) => (event._tag === "update_applied" ? [[event.update, event.digest]] : [])),
    steps: events.flatMap((event) => (event._tag === "step_finished" ? [event.step] : []))
  }
}

/** The longest step of a run, seconds. */
const longestStep = (run: string): number => {
  const parts = eventsOf(readFileSync(join(run, "timings.ndjson"), "utf8"))
  const whole = parts.flatMap(({ seconds, stage }) =>
    stage === "train" ? [Object.values<number>(seconds).reduce((sum, one) => sum + one, 0)] : []
  )
  assert.isAbove(whole.length, 0)
  return Math.max(...whole)
}

const childrenOf = (pid: number): ReadonlyArray<number> =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number)

/** Tells a worker to leave. Gives how it ended, and the seconds that it took. */
const toldToLeave = async ({ child, ended }: ReturnType<typeof start>) => {
  const told = performance.now()
  child.kill("SIGTERM")
  const end = await ended
  return { ...end, seconds: (performance.now() - told) / 1000 }
}

describe("a worker that is told to leave", () => {
  it("while the real trainer trains: saves, takes its trainer along, and the next one ends the run with the same weights", async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const [place, calm] = [directory(), directory()]
    const manifest = [join(root, "test/e2e/tiny.yaml"), "-s", "train.steps=16", "-s", "evaluate.every=0"]
    const at = ["--runs", place, "--redis", redis.url]
    const whole = lastLine(await gradus("run", ...manifest, "--runs", calm, "--json")).dir
    // a warm-up is as long as all the rest, and killed elsewhere
    for (const stage of ["warmup", "policy"])
      cpSync(join(calm, ".artifacts", stage), join(place, ".artifacts", stage), { recursive: true })
    const run: string = lastLine(await gradus("queue", "add", ...manifest, ...at, "--json")).dir
    const first = start(["worker", ...at, "--lease", "2"])
    await until("two steps are done", () => count(run, "step_finished") >= 2)
    const trainers = childrenOf(first.child.pid ?? 0)
    assert.isAbove(trainers.length, 0)
    const left = await toldToLeave(first)
    assert.strictEqual(left.code, 0, left.stderr)
    assert.include(left.stderr, BACK)
    assert.isBelow(left.seconds, LEAVES_WITHIN + longestStep(run) + STARVED)
    // it finishes what it began and goes by itself, since its worker is gone
    await until("the trainer has gone too", () => !trainers.some((pid) => isRunning(pid)))
    const before = count(run, "step_finished")
    assert.deepStrictEqual([before >= 2 && before < 16, count(run, "run_finished")], [true, 0])

    const next = start(["worker", ...at, "--lease", "2", "--leave-when-idle", "1"])
    const ended = await next.ended
    assert.strictEqual(ended.code, 0, ended.stderr)
    assert.deepStrictEqual([count(run, "run_started"), count(run, "run_finished")], [2, 1])
    assert.deepStrictEqual(outcome(run), outcome(whole))
  })

  it("while it measures a shard at a server: gives it back, and what is stored is not asked for again", async () => {
    const [QUESTIONS, SAMPLES, CONCURRENCY] = [24, 4, 2]
    const server = await startSampleServer({ text: (_, serial) => `it is ${serial}`, delayMillis: () => 150 })
    onTestFinished(server.close)
    const place = directory()
    const [input, output] = [join(place, "questions.jsonl"), join(place, "profile")]
    const rows = Array.from({ length: QUESTIONS }, (_, i) => ({ id: `q${i}`, question: `Number ${i}`, answer: 1 }))
    writeFileSync(input, rows.map((row) => `${JSON.stringify(row)}\n`).join(""))
    const flags = "profile --model m --no-share --json --accuracy numeric --answer numeric_end --shards 2"
    const many = ["--samples", String(SAMPLES), "--concurrency", String(CONCURRENCY)]
    const files = ["--input", input, "--output", output, "--runs", place]
    const gathering = start([...flags.split(" "), ...many, ...files, "--endpoint", server.endpoint])
    const linesOf = (file: string) => (existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : [])
    const stored = () =>
      existsSync(join(output, "shards"))
        ? readdirSync(join(output, "shards")).flatMap((name) => linesOf(join(output, "shards", name, "answers.jsonl")))
        : []
    const first = start(["worker", "--runs", place, "--lease", "2"])
    await until("some of a shard is stored", () => stored().length >= 2 * SAMPLES)
    const left = await toldToLeave(first)
    assert.strictEqual(left.code, 0, left.stderr)
    assert.include(left.stderr, BACK)
    assert.isBelow(left.seconds, LEAVES_WITHIN + STARVED)
    const kept = stored()
    assert.isBelow(kept.length, QUESTIONS * SAMPLES)
    const { jobs } = lastLine(await gradus("queue", "list", "--runs", place, "--json"))
    for (const { state } of jobs) assert.include(["queued", "done"], state)

    const second = start(["worker", "--runs", place, "--lease", "2", "--leave-when-idle", "1"])
    const result = lastLine(await gathering.ended)
    assert.strictEqual((await second.ended).code, 0)
    // the first worker's answers count, as they were
    assert.deepInclude(result, { questions: QUESTIONS, failed: 0 })
    const answers = linesOf(join(output, "answers.jsonl"))
    assert.strictEqual(answers.length, QUESTIONS * SAMPLES)
    const said = new Set(answers)
    for (const line of kept) assert.isTrue(said.has(line), line)
    // only what was on its way when the first one left was asked for twice
    const twice = [...server.asked.values()].reduce((sum, asked) => sum + asked, 0) - QUESTIONS * SAMPLES
    assert.isAtMost(twice, CONCURRENCY * SAMPLES)
    for (const [question, lines] of Object.entries(Object.groupBy(kept, (line) => JSON.parse(line).question_id)))
      if (lines?.length === SAMPLES)
        assert.strictEqual(server.asked.get(`Number ${question.slice(1)}`), SAMPLES, question)
  })
})
