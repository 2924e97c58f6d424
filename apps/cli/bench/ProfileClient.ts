/**
 * The client of `gradus profile` against a bare undici pool: the same requests to the same loopback server from the same process, by turns. Both write
 * the body, read the whole answer, parse it and take texts, finish reasons and usage. Effect's own client is measured beside them.
 * Usage: node ProfileClient.ts [requests] [rounds] [delay of the server in ms]; one line of JSON; exits with 1 below 0.9
 */
import { sampleBody } from "@gradus/inference/SampleApi"
import { make } from "@gradus/inference/SamplePool"
import type { SampleTasks } from "@gradus/inference/SampleTasks"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Pool } from "@effect/platform-node/Undici"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { cpus } from "node:os"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { layer as undiciWire } from "../src/engines/UndiciWire.ts"

const CONCURRENCY = 512
const SAMPLES = 8
const [requests = 4000, rounds = 15, delay = 0] = process.argv.slice(2).map(Number)

const serverFile = fileURLToPath(new URL("../../../bench/profile-server.mjs", import.meta.url))
const child = spawn(process.execPath, [serverFile, "400", String(delay)], { stdio: ["pipe", "pipe", "inherit"] })
const [endpoint] = (await once(createInterface(child.stdout), "line")) as [string]
const spec = { api: "chat", model: "loopback", temperature: 1, max_tokens: 512 } as const
const question = (i: number): string => `What does she have in the end, of question number ${i}`

/** What a client does with an answer; gives the number of samples. */
const take = (text: string): number => {
  const { choices, usage } = JSON.parse(text) as {
    readonly choices: ReadonlyArray<{ readonly finish_reason: string; readonly message: { readonly content: string } }>
    readonly usage: { readonly completion_tokens: number }
  }
  const taken = choices.map(({ finish_reason, message }) => [message.content, finish_reason])
  return usage.completion_tokens > 0 ? taken.length : Number.NaN
}
const check = (name: string, samples: number): void => {
  if (samples !== requests * SAMPLES) throw new Error(`${name}: ${samples} samples of ${requests * SAMPLES}`)
}

const url = new URL(`${endpoint}/chat/completions`)
const headers = { "content-type": "application/json" }

const bare = async (): Promise<void> => {
  const pool = new Pool(url.origin, { connections: CONCURRENCY, pipelining: 1, keepAliveTimeout: 60_000 })
  let [next, samples] = [0, 0]
  const lane = async (): Promise<void> => {
    while (next < requests) {
      const body = sampleBody(spec, question(next++), SAMPLES, undefined)
      const response = await pool.request({ path: url.pathname, method: "POST", headers, body })
      samples += take(await response.body.text())
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, lane))
  check("bare", samples)
  await pool.close()
}

const profileClient = (): Promise<void> => {
  let [next, settled, samples] = [0, 0, 0]
  const ks = Array.from({ length: SAMPLES }, (_, k) => k)
  const tasks: SampleTasks = {
    take: () => (next < requests ? { question: next, text: question(next++), ks } : undefined),
    giveBack: () => {
      throw new Error("a request failed")
    },
    available: () => requests - next,
    finished: () => settled === requests
  }
  const run = Effect.gen(function* () {
    const pool = yield* make(tasks, {
      endpoints: [endpoint],
      key: undefined,
      spec,
      concurrency: CONCURRENCY,
      choices: SAMPLES,
      deadlineMillis: 600_000,
      attempts: 1,
      patienceMillis: 1000,
      answered: (_task, { texts }) =>
        Effect.sync(() => {
          samples += texts.length
          settled++
        }),
      failed: (_task, reason) => Effect.die(new Error(reason))
    })
    yield* pool.run
    check("profile client", samples)
  })
  return Effect.runPromise(run.pipe(Effect.provide(undiciWire({ connections: CONCURRENCY }))))
}

const effectClient = (): Promise<void> => {
  let samples = 0
  const run = Effect.gen(function* () {
    const client = yield* HttpClient.HttpClient
    const ask = (i: number) =>
      HttpClientRequest.post(url.href).pipe(
        HttpClientRequest.bodyText(sampleBody(spec, question(i), SAMPLES, undefined), "application/json"),
        client.execute,
        Effect.flatMap((response) => response.text),
        Effect.map((text) => {
          samples += take(text)
        })
      )
    const all = Array.from({ length: requests }, (_, i) => i)
    yield* Effect.forEach(all, ask, { concurrency: CONCURRENCY, discard: true })
    check("effect", samples)
  })
  return Effect.runPromise(run.pipe(Effect.provide(NodeHttpClient.layerUndici)))
}

/** Requests a second, by the clock and by the processor time of this process: the second is steadier on a machine that others use too. */
interface Rate {
  readonly clock: number
  readonly cpu: number
}
const measure = async (client: () => Promise<void>): Promise<Rate> => {
  const [started, used] = [performance.now(), process.cpuUsage()]
  await client()
  const { system, user } = process.cpuUsage(used)
  return { clock: requests / ((performance.now() - started) / 1000), cpu: requests / ((system + user) / 1e6) }
}
const clients = { bare, profileClient, effectClient }
type Name = keyof typeof clients
const rates: Record<Name, Array<Rate>> = { bare: [], profileClient: [], effectClient: [] }
const names = Object.keys(clients) as ReadonlyArray<Name>
setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as () => void
// the first round warms all of them up and is not counted; each begins in turn, with an empty heap
for (let round = 0; round <= rounds; round++) {
  for (const i of names.keys()) {
    const name = names[(i + round) % names.length] ?? "bare"
    collect()
    const measured = await measure(clients[name])
    if (round > 0) rates[name].push(measured)
  }
}
child.stdin.end()

const middle = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
const ratios = (name: Name, by: keyof Rate): ReadonlyArray<number> =>
  rates[name].map((value, i) => Number((value[by] / (rates.bare[i]?.[by] ?? Number.NaN)).toFixed(3)))
const perSecond = (by: keyof Rate, of: (values: ReadonlyArray<number>) => number) =>
  Object.fromEntries(names.map((name) => [name, Math.round(of(rates[name].map((one) => one[by])))]))
/** Of the best rounds: what others do on the machine only ever makes a round slower. */
const best = (name: Name, by: keyof Rate): number => Math.max(...rates[name].map((one) => one[by]))
const bestRatio = (name: Name, by: keyof Rate): number => Number((best(name, by) / best("bare", by)).toFixed(3))
const result = {
  bench: "profile client",
  hardware: `${cpus().length} x ${cpus()[0]?.model}`,
  requests,
  samples_per_request: SAMPLES,
  concurrency: CONCURRENCY,
  server_delay_ms: delay,
  requests_per_second: perSecond("clock", (values) => Math.max(...values)),
  requests_per_cpu_second: perSecond("cpu", (values) => Math.max(...values)),
  ratio_to_bare: bestRatio("profileClient", "clock"),
  ratio_to_bare_cpu: bestRatio("profileClient", "cpu"),
  effects_own_client: bestRatio("effectClient", "clock"),
  effects_own_client_cpu: bestRatio("effectClient", "cpu"),
  median_of_rounds: middle(ratios("profileClient", "clock")),
  median_of_rounds_cpu: middle(ratios("profileClient", "cpu")),
  rounds
}
console.log(JSON.stringify(result))
process.exit(Math.max(result.ratio_to_bare, result.ratio_to_bare_cpu) >= 0.9 ? 0 : 1)
