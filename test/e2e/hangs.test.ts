/** Everything that a run waits for has a deadline: what hangs becomes an error by name, and the process is gone and says how to go on. */
import { start as startProxy } from "@gradus/testing/FaultProxy"
import { assert, describe, it } from "@effect/vitest"
import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll } from "vitest"
import { directory, root, start, type Started } from "../gradus.ts"

const manifest = join(root, "test/e2e/tiny.yaml")
const small = [
  "-s",
  "warmup.steps=2",
  "-s",
  "train.steps=2",
  "-s",
  "train.checkpoint_every=1",
  "-s",
  "train.updates_per_step=2"
]
/** Seconds: long enough that on a machine whose cores are all taken nothing but what hangs takes so long. */
const DEADLINE = 6

let trainer: Started
let address: { readonly url: string; readonly token: string }

beforeAll(async () => {
  const runs = join(root, ".cache/e2e/hangs")
  rmSync(runs, { recursive: true, force: true })
  trainer = start(["serve", "trainer", manifest, "--runs", runs])
  await trainer.said('"pid"')
  address = trainer.line()
  process.env["GRADUS_E2E_TOKEN"] = address.token
}, 300_000)
afterAll(() => void trainer.child.kill("SIGTERM"))

/** Seconds that a timer may be late in a process on a machine whose cores are all taken. */
const LATE = 0.5
const GONE_WITHIN = 10

/**
 * Runs against the real trainer behind a proxy that stops answering one route. Gives how the process ended, how long it waited for what hung (from the first
 * request to its last leaving), and how long after that it was gone.
 */
const hangingAt = async (name: string, route: RegExp, more: ReadonlyArray<string>) => {
  const proxy = await startProxy({
    upstream: address.url,
    fault: ({ method, path }) => (route.test(`${method} ${path}`) ? { kind: "hang" } : undefined)
  })
  const spec = {
    kind: "service",
    url: proxy.url,
    token: { env: "GRADUS_E2E_TOKEN" },
    chunk_prompts: 16,
    deadline: DEADLINE
  }
  const settings = [
    "-s",
    `name=${name}`,
    "-s",
    `trainer=${JSON.stringify(spec)}`,
    "-s",
    `generation={"deadline":${DEADLINE},"attempts":1}`
  ]
  const ended = await start(["run", manifest, ...small, ...more, ...settings, "--runs", directory()]).ended
  const gone = performance.now()
  const waits = proxy.waits()
  await proxy.stop()
  const [from, to] = [Math.min(...waits.map(({ from }) => from)), Math.max(...waits.map(({ to }) => to))]
  return { ended, waited: (to - from) / 1000, left: (gone - to) / 1000 }
}

interface Border {
  readonly at: string
  readonly route: RegExp
  /** The address that the error names, without its host. */
  readonly url: string
  /** What a client says whose deadline passed; absent: the trainer's. */
  readonly said?: string
  readonly setting?: string
}

const TRAINER = `did not answer within ${DEADLINE} s`
const GENERATOR = `failed: no answer within ${DEADLINE} s`

describe("a server that accepts and never answers", () => {
  it.each<Border>([
    // trainer and generator both ask, and either may be the first to give up
    { at: "info", route: /^GET \/v1\/info/, url: "info", said: `(?:${TRAINER}|${GENERATOR})` },
    { at: "open", route: /^PUT \/v1\/runs\/[^/]+$/, url: "runs/warmup-[0-9a-f]+" },
    { at: "tokenize", route: /tokenize$/, url: "runs/warmup-[0-9a-f]+/tokenize" },
    { at: "completions", route: /completions$/, url: "completions", said: GENERATOR },
    // another seed is another warm-up, of which the trainer has no update yet
    { at: "update", route: /^PUT .*\/updates\/1$/, url: "runs/warmup-[0-9a-f]+/updates/1", setting: "seed=5" },
    // only groups that differ are trained on: this policy must answer something right
    { at: "logprobs", route: /logprobs$/, url: "runs/train-[0-9a-f]+/logprobs", setting: "warmup.steps=120" },
    { at: "checkpoint", route: /checkpoints$/, url: "runs/warmup-[0-9a-f]+/checkpoints" }
  ])("at $at is an error by its deadline, and the run says how to go on", async (border) => {
    const { at, route, said = TRAINER, setting = "seed=0", url } = border
    const { ended, left, waited } = await hangingAt(`hang-${at}`, route, ["-s", setting])
    assert.match(ended.stderr, new RegExp(`http://127\\.0\\.0\\.1:\\d+/v1/${url} ${said}`))
    assert.match(ended.stderr, /gradus resume \S+hang-/)
    assert.strictEqual(ended.code, 75)
    assert.isAtLeast(waited, DEADLINE - LATE)
    assert.isAtMost(waited, 1.1 * DEADLINE + LATE)
    assert.isBelow(left, GONE_WITHIN)
  })

  it("as a trainer that starts and says nothing, and ignores that it is told to go", async () => {
    const [python, heard] = [join(directory(), "python"), join(directory(), "heard")]
    // in place of obeying it writes down when it began and when it was told to go
    const now = `date +%s.%N >> ${heard}`
    writeFileSync(python, `#!/bin/sh\ntrap '${now}' TERM\n${now}\nwhile :; do sleep 1 & wait; done\n`)
    chmodSync(python, 0o755)
    process.env["GRADUS_PYTHON"] = python
    const run = start(["run", manifest, ...small, "-s", `trainer.deadline=${DEADLINE}`, "--runs", directory()])
    delete process.env["GRADUS_PYTHON"]
    const ended = await run.ended
    const gone = Date.now() / 1000
    assert.strictEqual(ended.code, 1)
    assert.include(ended.stderr, `the trainer did not start: it said nothing for ${DEADLINE} s`)
    assert.match(ended.stderr, /gradus resume \S+tiny--/)
    const [began = NaN, told = NaN] = readFileSync(heard, "utf8").trim().split("\n").map(Number)
    assert.isAtLeast(told - began, DEADLINE - LATE)
    assert.isAtMost(told - began, 1.1 * DEADLINE + LATE)
    assert.isBelow(gone - told, GONE_WITHIN)
  })
})
