import { ofText } from "@gradus/domain/Digest"
import { JudgeLedger } from "@gradus/domain/JudgeLedger"
import { VerdictCache } from "@gradus/domain/VerdictCache"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as CircuitBreaker from "effect/persistence/CircuitBreaker"
import * as RateLimiter from "effect/persistence/RateLimiter"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { fileURLToPath } from "node:url"
import * as EmbeddedJudgeStore from "../src/EmbeddedJudgeStore.ts"
import { judgeStoreContract } from "./JudgeStoreContract.ts"

const file = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "gradus-judge-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
).pipe(Effect.map((directory) => join(directory, "runs", ".judge.sqlite")))

judgeStoreContract({ name: "embedded", place: file, connect: EmbeddedJudgeStore.layer, shared: true })
judgeStoreContract({
  name: "memory",
  place: Effect.succeed(""),
  connect: () =>
    Layer.mergeAll(
      VerdictCache.layerMemory(),
      JudgeLedger.layerMemory,
      RateLimiter.layerStoreMemory,
      CircuitBreaker.layerStoreMemory()
    ),
  shared: false
})

/** A process that adds one coin after the other, says each sum, and takes the trial of a circuit where `trial` names one. */
const spender = (path: string, coins: number, trial = "") => {
  const module = fileURLToPath(new URL("../src/EmbeddedJudgeStore.ts", import.meta.url))
  const code = `
    import * as Effect from "effect/Effect"
    import { JudgeLedger } from "@gradus/domain/JudgeLedger"
    import { CircuitBreakerStore } from "effect/persistence/CircuitBreaker"
    import { layer } from ${JSON.stringify(module)}
    const work = Effect.gen(function* () {
      const { add } = yield* JudgeLedger
      for (let i = 0; i < ${coins}; i++) console.log(yield* add("a", 1))
      if (${JSON.stringify(trial)} === "") return
      const { admit } = yield* CircuitBreakerStore
      console.log((yield* admit(${JSON.stringify(trial)})).probe)
      yield* Effect.never
    })
    const kept = setInterval(() => {}, 1000)
    await Effect.runPromise(Effect.scoped(Effect.provide(work, layer(${JSON.stringify(path)}))))
    clearInterval(kept)`
  const child = spawn(process.execPath, ["--input-type=module", "--eval", code], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    stdio: ["ignore", "pipe", "inherit"]
  })
  const lines: Array<string> = []
  child.stdout.on("data", (data) => lines.push(...String(data).trimEnd().split("\n")))
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()))
  return { child, lines, ended }
}

const sum = JudgeLedger.use(({ add }) => add("a", 0))

describe("the embedded judges' store between processes", () => {
  it.live("no coin is lost or counted twice by processes that spend at the same time", () =>
    Effect.gen(function* () {
      const path = yield* file
      const spenders = [spender(path, 150), spender(path, 150), spender(path, 150)]
      yield* Effect.promise(() => Promise.all(spenders.map(({ ended }) => ended)))
      const sums = spenders.flatMap(({ lines }) => lines.map(Number)).toSorted((a, b) => a - b)
      assert.deepStrictEqual(
        sums,
        Array.from({ length: 450 }, (_, i) => i + 1)
      )
      assert.strictEqual(yield* Effect.provide(sum, EmbeddedJudgeStore.layer(path)), 450)
    })
  )

  it.live(
    "what a process that is killed by -9 has spent stays spent, and only its lease holds its trial of an endpoint",
    () =>
      Effect.gen(function* () {
        const path = yield* file
        const stores = EmbeddedJudgeStore.layer(path)
        const breaker = CircuitBreaker.make({ tripPolicy: CircuitBreaker.consecutive(1), openDuration: 1 })
        yield* Effect.gen(function* () {
          yield* Effect.exit((yield* breaker).execute(Effect.fail("down"), { key: "e" }))
        }).pipe(Effect.provide(stores))
        const { child, ended, lines } = spender(path, 5, "e")
        yield* Effect.repeat(
          Effect.delay(
            Effect.sync(() => lines.at(-1)),
            10
          ),
          { until: (line) => line === "true" }
        )
        child.kill("SIGKILL")
        yield* Effect.promise(() => ended)
        yield* Effect.gen(function* () {
          assert.strictEqual(yield* sum, 5)
          const { state } = yield* CircuitBreaker.CircuitBreakerStore
          const left = yield* state("e")
          assert.deepInclude(left, { _tag: "HalfOpen", probing: true })
        }).pipe(Effect.provide(stores))
      })
  )

  it.live(
    "a file that is no database, or of another format, is said, not overwritten; a row that is no verdict is a miss",
    () =>
      Effect.gen(function* () {
        const path = yield* file
        const key = ofText("a")
        const get = VerdictCache.use((cache) => cache.get(key))
        assert.isUndefined(yield* Effect.provide(get, EmbeddedJudgeStore.layer(path)))
        const other = new DatabaseSync(path)
        other.prepare("INSERT INTO verdicts VALUES (?, ?)").run(key, '{"verdict":"perhaps"}')
        const format = other.prepare("PRAGMA user_version").get()?.["user_version"]
        assert.strictEqual(format, 1)
        other.close()
        assert.isUndefined(yield* Effect.provide(get, EmbeddedJudgeStore.layer(path)))
        const broken = `${path}.broken`
        writeFileSync(broken, "this is a text of more than a hundred bytes ".repeat(5))
        const failed = yield* Effect.flip(Effect.provide(sum, EmbeddedJudgeStore.layer(broken)))
        assert.strictEqual(failed._tag, "JudgeStoreFailed")
        assert.include(failed.message, broken)
        const later = new DatabaseSync(path)
        later.exec("PRAGMA user_version = 2")
        later.close()
        const refused = yield* Effect.flip(Effect.provide(sum, EmbeddedJudgeStore.layer(path)))
        assert.include(refused.message, "it has format 2; this version reads 1")
      })
  )
})
