/**
 * How many rule-graded completions a second the reward server gives over HTTP, and how long one call takes, alone and beside a flood of
 * batches. The server is a process of its own, and so is the caller of single calls: what it waits for is the server, not the flood's sender.
 * Usage: node Throughput.ts [seconds] [batch] [connections] [accuracy]. Exits with 1 where a reach is missed.
 */
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { availableParallelism, loadavg } from "node:os"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const [seconds = 10, batch = 256, connections = 4] = process.argv.slice(2, 5).map(Number)
const accuracy = process.argv[5] ?? "numeric"

const server = spawn(process.execPath, [fileURLToPath(new URL("serve.ts", import.meta.url)), accuracy], {
  stdio: ["pipe", "pipe", "inherit"]
})
/** What has to be reached on two cores. */
const RATE = 3_000
const SINGLE_MS = 20

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

/** What single calls take, one after the other, by a process of their own: by the clock, and of the server's work. */
const singles = async (calls: number) => {
  const body = JSON.stringify({ prompt: "2+2?", response: completion(4), label: "4" })
  const script = fileURLToPath(new URL("single.ts", import.meta.url))
  const caller = spawn(process.execPath, [script, `${url}/rm`, token, body, String(calls), String(server.pid)], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const [said] = (await once(createInterface(caller.stdout), "line")) as [string]
  const { wall, work } = JSON.parse(said) as Record<"wall" | "work", ReadonlyArray<number>>
  return { ms: quantiles(wall), server_work_ms: quantiles(work) }
}

const quantile = (sorted: ReadonlyArray<number>, q: number): number =>
  sorted[Math.floor((sorted.length - 1) * q)] ?? NaN
const round = (value: number): number => Math.round(value * 100) / 100
const quantiles = (values: ReadonlyArray<number>) => {
  const sorted = values.toSorted((a, b) => a - b)
  return {
    p50: round(quantile(sorted, 0.5)),
    p99: round(quantile(sorted, 0.99)),
    max: round(quantile(sorted, 1))
  }
}

const bench = Effect.gen(function* () {
  yield* Effect.promise(() => flood(1500))
  const started = performance.now()
  const done = yield* Effect.promise(() => flood(seconds * 1000))
  const rate = done / ((performance.now() - started) / 1000)
  const alone = yield* Effect.promise(() => singles(2000))
  const loaded = yield* Effect.promise(async () => (await Promise.all([flood(seconds * 1000), singles(500)]))[1])
  const report = {
    cores: availableParallelism(),
    load: round(loadavg()[0] ?? NaN),
    accuracy,
    batch,
    connections,
    completions_per_second: Math.round(rate),
    single: alone,
    single_beside_batches: loaded
  }
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
  const missed = [
    ...(rate >= RATE ? [] : [`${RATE} completions a second, by ${Math.round(RATE - rate)}`]),
    ...(alone.ms.p99 < SINGLE_MS
      ? []
      : [`p99 of a single call below ${SINGLE_MS} ms, by ${round(alone.ms.p99 - SINGLE_MS)} ms`])
  ]
  for (const what of missed) process.stdout.write(`MISSED: ${what}\n`)
  if (missed.length > 0) process.exitCode = 1
})

await Effect.runPromise(bench).finally(() => server.stdin.end())
