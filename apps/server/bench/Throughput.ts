/**
 * How many rule-graded completions a second the reward server gives over HTTP, and how long one call takes. The server is a process of its
 * own; this one only sends. Usage: node Throughput.ts [seconds] [batch] [connections] [accuracy]
 */
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { availableParallelism } from "node:os"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const [seconds = 10, batch = 256, connections = 4] = process.argv.slice(2, 5).map(Number)
const accuracy = process.argv[5] ?? "numeric"

const server = spawn(process.execPath, [fileURLToPath(new URL("serve.ts", import.meta.url)), accuracy], {
  stdio: ["pipe", "pipe", "inherit"]
})
const [line] = (await once(createInterface(server.stdout), "line")) as [string]
const { url, token } = JSON.parse(line) as { url: string; token: string }

const WORDS = "so she sells the rest of them at the market for 2 dollars each and then has".split(" ")
/** A completion of a few hundred characters, as GSM8K's are. */
const completion = (i: number): string =>
  `<think>${Array.from({ length: 80 }, (_, w) => WORDS[(w * 7 + i) % WORDS.length]).join(" ")}</think>The answer is ${i % 97}.`
const bodies = Array.from({ length: 16 }, (_, b) =>
  JSON.stringify({
    requests: Array.from({ length: batch }, (_, i) => ({
      id: `${b}/${i}`,
      question: "How much does she make every day at the market?",
      gold: `${(i * 13) % 97}`,
      completion: completion(i + b),
      thinking: "on"
    }))
  })
)
const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" }

const post = async (path: string, body: string): Promise<unknown> => {
  const response = await fetch(`${url}${path}`, { method: "POST", headers, body })
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
  return response.json()
}

/** Sends batches on every connection for so long. */
const flood = async (milliseconds: number): Promise<number> => {
  const until = performance.now() + milliseconds
  let done = 0
  const lane = async (start: number) => {
    for (let n = start; performance.now() < until; n++) {
      const { scores } = (await post("/v1/score", bodies[n % bodies.length]!)) as { scores: ReadonlyArray<unknown> }
      if (scores.length !== batch) throw new Error("a batch came back with another length")
      done += scores.length
    }
  }
  await Promise.all(Array.from({ length: connections }, (_, c) => lane(c)))
  return done
}

/** Milliseconds of single calls, one after the other. */
const singles = async (calls: number): Promise<ReadonlyArray<number>> => {
  const body = JSON.stringify({ prompt: "2+2?", response: completion(4), label: "4" })
  const times: Array<number> = []
  for (let n = 0; n < calls; n++) {
    const started = performance.now()
    await post("/rm", body)
    times.push(performance.now() - started)
  }
  return times.toSorted((a, b) => a - b)
}

const quantile = (sorted: ReadonlyArray<number>, q: number): number =>
  sorted[Math.floor((sorted.length - 1) * q)] ?? NaN
const round = (value: number): number => Math.round(value * 100) / 100

const bench = Effect.gen(function* () {
  yield* Effect.promise(() => flood(1500))
  const started = performance.now()
  const done = yield* Effect.promise(() => flood(seconds * 1000))
  const rate = done / ((performance.now() - started) / 1000)
  const alone = yield* Effect.promise(() => singles(2000))
  const loaded = yield* Effect.promise(async () => (await Promise.all([flood(4000), singles(200)]))[1])
  const report = {
    cores: availableParallelism(),
    accuracy,
    batch,
    connections,
    completions_per_second: Math.round(rate),
    single_ms: { p50: round(quantile(alone, 0.5)), p99: round(quantile(alone, 0.99)), max: round(quantile(alone, 1)) },
    single_beside_batches_ms: { p50: round(quantile(loaded, 0.5)), p99: round(quantile(loaded, 0.99)) }
  }
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
})

await Effect.runPromise(bench).finally(() => server.stdin.end())
