/** Secrets are named in manifests and live in the environment: none is found in what a run writes, says, or shows to other users of the machine. */
import { ChatServer } from "@gradus/testing/ChatServer"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { directory, gradus, root, start } from "../gradus.ts"

const CANARY = "canary-7f3e1d-never-written"
const TRACKER_CANARY = "canary-5b90aa-never-written"

/** Every file below a directory, hidden ones too. */
const filesBelow = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

/** A tracker that refuses everything and says back what it was given. */
const quotingTracker = Effect.acquireRelease(
  Effect.promise(async () => {
    const seen: Array<string | undefined> = []
    const server = createServer((request, response) => {
      seen.push(request.headers.authorization)
      response.writeHead(403)
      response.end(JSON.stringify({ error_code: "no", message: `invalid token ${request.headers.authorization}` }))
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    return { seen, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
  }),
  ({ server }) => Effect.sync(() => server.close())
)

it.live(
  "keys of a judge and a tracker are in no file, no message and no command line, also when both fail and quote them",
  () =>
    Effect.gen(function* () {
      const judge = yield* ChatServer
      const tracker = yield* quotingTracker
      process.env["GRADUS_E2E_JUDGE_KEY"] = CANARY
      process.env["GRADUS_E2E_TRACKER_TOKEN"] = TRACKER_CANARY
      // a server that says back what it was given is the worst case: its words are quoted in failures
      yield* judge.follow(({ authorization }, index) =>
        index % 3 === 0
          ? { kind: "status", status: 403, body: `invalid key ${authorization}` }
          : { kind: "answer", text: index % 2 === 0 ? "yes" : "no" }
      )
      const rewards = {
        accuracy: "judge",
        judge: { endpoint: judge.endpoint, model: "loopback", attempts: 1, api_key: { env: "GRADUS_E2E_JUDGE_KEY" } }
      }
      const runs = directory()
      const track = [{ kind: "mlflow", url: tracker.url, experiment: "e", token: { env: "GRADUS_E2E_TRACKER_TOKEN" } }]
      const settings = [
        "warmup.steps=2",
        "train.steps=2",
        `rewards=${JSON.stringify(rewards)}`,
        `track=${JSON.stringify(track)}`
      ]
      const running = start([
        "run",
        join(root, "test/e2e/tiny.yaml"),
        ...settings.flatMap((one) => ["-s", one]),
        "--runs",
        runs,
        "--json"
      ])
      yield* Effect.promise(() => running.said("profile 16/"))
      const pid = running.child.pid
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")
      for (const one of [String(pid), ...children])
        if (existsSync(`/proc/${one}/cmdline`)) assert.notMatch(readFileSync(`/proc/${one}/cmdline`, "utf8"), /canary-/)
      const { code, stderr, stdout } = yield* Effect.promise(() => running.ended)
      assert.strictEqual(code, 0, stderr)
      assert.isTrue((yield* judge.received).every(({ authorization }) => authorization === `Bearer ${CANARY}`))
      assert.isAbove(tracker.seen.length, 0)
      assert.deepStrictEqual(new Set(tracker.seen), new Set([`Bearer ${TRACKER_CANARY}`]))
      assert.notMatch(stdout + stderr, /canary-/)
      const files = filesBelow(runs)
      assert.isAbove(files.length, 30)
      for (const file of files) assert.isFalse(readFileSync(file).includes("canary-"), file)
    }).pipe(Effect.provide(ChatServer.layer([{ kind: "answer", text: "yes" }])))
)

it("a key in the query of an address is refused before anything is written, and is not said again", async () => {
  const runs = directory()
  const query = `http://127.0.0.1:9/v1?api_key=${CANARY}`
  for (const [field, setting] of [
    ["rewards.judge.endpoint", `rewards={accuracy: judge, judge: {endpoint: '${query}', model: m}}`],
    ["trainer.url", `trainer={kind: service, url: '${query}', token: {env: T}}`],
    ["track[0].url", `track=[{kind: otlp, url: '${query}'}]`]
  ] as const)
    for (const command of [
      ["config", "check"],
      ["run", "--runs", runs]
    ]) {
      const [name = "", ...rest] = command
      const ended = await gradus(name, ...rest, join(root, "test/e2e/tiny.yaml"), "-s", setting)
      assert.strictEqual(ended.code, 2, ended.stderr)
      assert.include(ended.stderr, `${field}: must not hold a query`)
      assert.notMatch(ended.stdout + ended.stderr, /canary-/)
    }
  const served = ["--endpoint", query, "--model", "m", "--input", "questions.jsonl", "--output", join(runs, "profile")]
  const ended = await gradus("profile", ...served)
  assert.strictEqual(ended.code, 2, ended.stderr)
  assert.include(ended.stderr, "--endpoint: an address has no query")
  assert.notMatch(ended.stdout + ended.stderr, /canary-/)
  assert.deepStrictEqual(filesBelow(runs), [])
})

/** A server on 127.0.0.1 that counts its requests and answers each with a status and a location. */
const counting = (status: number, location: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      let requests = 0
      const server = createServer((_, response) => {
        requests++
        response.writeHead(status, { location })
        response.end("{}")
      })
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
      const { port } = server.address() as AddressInfo
      return { url: `http://127.0.0.1:${port}`, requests: () => requests, server }
    }),
    ({ server }) => Effect.sync(() => server.close())
  )

it.live("no redirect is followed: what a server names is not what the manifest named", () =>
  Effect.gen(function* () {
    const elsewhere = yield* counting(200, "")
    for (const status of [301, 302, 307, 308]) {
      const named = yield* counting(status, `${elsewhere.url}/v1/info`)
      process.env["GRADUS_E2E_TOKEN"] = CANARY
      const spec = { kind: "service", url: named.url, token: { env: "GRADUS_E2E_TOKEN" }, deadline: 5 }
      const settings = ["-s", `trainer=${JSON.stringify(spec)}`, "-s", 'generation={"deadline":2,"attempts":1}']
      const run = ["run", join(root, "test/e2e/tiny.yaml"), ...settings, "--runs", directory()]
      const ended = yield* Effect.promise(() => start(run).ended)
      assert.notStrictEqual(ended.code, 0)
      assert.notInclude(ended.stderr, CANARY)
      assert.isAbove(named.requests(), 0)
    }
    assert.strictEqual(elsewhere.requests(), 0)
  }).pipe(Effect.scoped)
)
