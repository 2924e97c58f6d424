/** Everything that a run waits for has a deadline: what hangs becomes an error by name, and the process is gone and says how to go on. */
import { start as startProxy } from "@gradus/testing/FaultProxy"
import { assert, describe, it } from "@effect/vitest"
import { chmodSync, rmSync, writeFileSync } from "node:fs"
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
const DEADLINE = 3

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

/** Runs against the real trainer behind a proxy that stops answering one route. Gives how the process ended, and how long after the first hang. */
const hangingAt = async (name: string, route: RegExp, more: ReadonlyArray<string>) => {
  let hung: number | undefined
  const proxy = await startProxy({
    upstream: address.url,
    fault: ({ method, path }) => {
      if (!route.test(`${method} ${path}`)) return undefined
      hung ??= performance.now()
      return { kind: "hang" }
    }
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
  const seconds = (performance.now() - (hung ?? NaN)) / 1000
  await proxy.stop()
  return { ended, seconds }
}

interface Border {
  readonly at: string
  readonly route: RegExp
  readonly words?: RegExp
  readonly setting?: string
}

describe("a server that accepts and never answers", () => {
  it.each<Border>([
    { at: "info", route: /^GET \/v1\/info/, words: /did not answer|no answer within 3 s/ },
    { at: "open", route: /^PUT \/v1\/runs\/[^/]+$/ },
    { at: "tokenize", route: /tokenize$/ },
    { at: "completions", route: /completions$/, words: /no answer within 3 s/ },
    // another seed is another warm-up, of which the trainer has no update yet
    { at: "update", route: /^PUT .*\/updates\/1$/, setting: "seed=5" },
    // only groups that differ are trained on: this policy must answer something right
    { at: "logprobs", route: /logprobs$/, setting: "warmup.steps=120" },
    { at: "checkpoint", route: /checkpoints$/ }
  ])("at $at is an error by its deadline, and the run says how to go on", async (border) => {
    const { at, route, setting = "seed=0", words = /did not answer within 3 s/ } = border
    const { ended, seconds } = await hangingAt(`hang-${at}`, route, ["-s", setting])
    assert.match(ended.stderr, words)
    assert.match(ended.stderr, /gradus resume \S+hang-/)
    assert.strictEqual(ended.code, 75)
    // the deadline itself to a tenth, and at most ten seconds to be gone
    assert.isAtLeast(seconds, DEADLINE)
    assert.isBelow(seconds, 1.1 * DEADLINE + 10)
  })

  it("as a trainer that starts and says nothing, and ignores that it is told to go", async () => {
    const python = join(directory(), "python")
    writeFileSync(python, "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1; done\n")
    chmodSync(python, 0o755)
    process.env["GRADUS_PYTHON"] = python
    const started = performance.now()
    const run = start(["run", manifest, ...small, "-s", `trainer.deadline=${DEADLINE}`, "--runs", directory()])
    delete process.env["GRADUS_PYTHON"]
    const ended = await run.ended
    const seconds = (performance.now() - started) / 1000
    assert.strictEqual(ended.code, 1)
    assert.include(ended.stderr, `the trainer did not start: it said nothing for ${DEADLINE} s`)
    assert.match(ended.stderr, /gradus resume \S+tiny--/)
    assert.isBelow(seconds, 1.1 * DEADLINE + 10 + 5)
  })
})
