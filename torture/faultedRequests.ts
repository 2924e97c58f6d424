/**
 * `node torture/faultedRequests.ts --count 100000`: a profile through the fault proxy. Every tenth request is spoilt in one of twenty ways; the groups that
 * come, and the scores and pass rates made of them, must be those of a run without faults.
 */
import { estimate } from "@gradus/curriculum/Estimate"
import { RewardsSpec } from "@gradus/domain/manifest/Rewards"
import * as Seed from "@gradus/domain/Seed"
import { Generator, type GenerationRequest } from "@gradus/inference/Generator"
import * as ServerGenerator from "@gradus/inference/ServerGenerator"
import { Scorer } from "@gradus/rewards/service/Scorer"
import { CompletionsServer } from "@gradus/testing/CompletionsServer"
import { mix, waysOf } from "@gradus/testing/FaultMix"
import { FaultProxy } from "@gradus/testing/FaultProxy"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import type { CompletionGroup } from "@gradus/domain/Completion"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { options } from "./options.ts"
import { report } from "./result.ts"

const SAMPLES = 4
const GROUPS_A_CALL = 10_000
const SHARE = 0.1
/** Many, since most of the time is spent in waiting: for hangs, and for a server that wants to be left alone. */
const CONCURRENCY = 256
const DEADLINE = 3000
const WAYS = waysOf({ late: DEADLINE + 500, slow: 200 })
/** Proxies: a server that wants to be left alone for a second is, by all groups; the others go on meanwhile. */
const SERVERS = 4
const RULES = Schema.decodeUnknownSync(RewardsSpec)({ accuracy: "exact", format: "none" })

/** Sample k of question j is right or wrong by its seed, so that pass rates differ. */
const textOf = (prompt: string, seed: number): string =>
  (seed * 2654435761) % 97 < 40 + (Number(prompt.slice(1)) % 50) ? "right" : `wrong ${seed}`

const server = CompletionsServer.layer({
  answers: (prompt, n, seed) => Array.from({ length: n }, (_, i) => textOf(String(prompt), (seed ?? 0) + i))
})

const requestOf = (from: number, count: number): GenerationRequest => ({
  stage: "profile",
  step: 0,
  model: "loopback",
  policyVersion: 0,
  sampling: { temperature: 1, max_tokens: 32 },
  groups: Array.from({ length: count }, (_, j) => ({
    question_id: `q${from + j}`,
    prompt: `p${from + j}`,
    samples: SAMPLES,
    seed: 1000 * (from + j)
  }))
})

/** Generates and scores all groups; gives what a profile says of each question, and the groups as they came. */
const profile = Effect.fnUntraced(function* (urls: readonly [string, ...ReadonlyArray<string>], groups: number) {
  const layer = ServerGenerator.layer({
    urls,
    concurrency: CONCURRENCY,
    deadline: `${DEADLINE} millis`,
    attempts: 12,
    sendSeed: true
  })
  const generator = Context.get(yield* Layer.build(layer), Generator)
  const scorer = yield* Scorer
  const rows: Array<string> = []
  let [lost, nulls] = [0, 0]
  const reasons: Record<string, number> = {}
  for (let from = 0; from < groups; from += GROUPS_A_CALL) {
    const made = yield* generator.generate(requestOf(from, Math.min(GROUPS_A_CALL, groups - from)))
    const scores = yield* scorer.score(made.flatMap(asked))
    let next = 0
    for (const group of made) {
      const own = scores.slice(next, (next += group.completions.length))
      lost += group.failures.length
      for (const { failure } of group.failures) reasons[failure] = (reasons[failure] ?? 0) + 1
      nulls += group.completions.filter(({ logprobs }) => logprobs.includes(null)).length
      rows.push(
        JSON.stringify([
          said(group),
          rateOf(
            group,
            own.map(({ value }) => value)
          )
        ])
      )
    }
  }
  return { rows, lost, nulls, reasons }
})

const asked = (group: CompletionGroup) =>
  group.completions.map((completion) => ({
    id: completion.sample_id,
    question: "?",
    gold: "right",
    completion: completion.text,
    thinking: "off" as const,
    truncated: false,
    tokens: completion.token_ids.length
  }))

/** All of a group but its log-probabilities: a NaN among them is masked in training, and says nothing about a text. */
const said = (group: CompletionGroup) => [
  group.group_id,
  group.prompt_token_ids,
  group.completions.map(({ finish_reason, k, sample_id, text, token_ids }) => [
    sample_id,
    k,
    text,
    token_ids,
    finish_reason
  ])
]

const rateOf = (group: CompletionGroup, scores: ReadonlyArray<number | null>) =>
  estimate({
    question_id: group.group_id,
    domain: null,
    n: SAMPLES,
    scores,
    truncated: 0,
    mean_tokens: 0,
    passMark: 1,
    credibleLevel: 0.9
  })

/** A proxy before the server that spoils its share of the requests. */
const spoiling = Effect.fnUntraced(function* (upstream: string, seed: Seed.Seed) {
  const { chosen, fault } = mix(WAYS, SHARE, seed, ({ path }) => path === "/v1/completions")
  const proxy = Context.get(yield* Layer.build(Layer.fresh(FaultProxy.layer({ upstream, fault }))), FaultProxy)
  return { url: proxy.url, requests: proxy.requests, chosen }
})

/** Runs the part. `count` is the number of requests of the faulted run, those that are asked again included. */
export const faultedRequests = Effect.fnUntraced(function* (count: number, seed: number) {
  const started = performance.now()
  // faults cost calls: fewer groups than requests
  const groups = Math.ceil(count / 1.08)
  const behind = yield* CompletionsServer
  const clean = yield* profile([behind.url], groups)
  const before = (yield* behind.traffic).requests
  const proxies = yield* Effect.forEach(Array.from({ length: SERVERS }).keys(), (i) =>
    spoiling(behind.url, Seed.child(Seed.root(seed), i))
  )
  const requests = () => proxies.reduce((sum, proxy) => sum + proxy.requests(), 0)
  const [first = behind.url, ...others] = proxies.map(({ url }) => url)
  const faulted = yield* profile([first, ...others], groups)
  const chosen = Object.fromEntries(
    Object.keys(WAYS).map((way) => [way, proxies.reduce((sum, proxy) => sum + (proxy.chosen()[way] ?? 0), 0)])
  )
  const different = clean.rows.filter((row, i) => row !== faulted.rows[i]).length
  const ids = new Set(faulted.rows)
  const faults = Object.values(chosen).reduce((sum, n) => sum + n, 0)
  return {
    seconds: (performance.now() - started) / 1000,
    chosen,
    reasons: faulted.reasons,
    counts: {
      groups,
      "requests of the faulted run": requests(),
      "requests that reached the server": (yield* behind.traffic).requests - before,
      "requests spoilt": faults,
      lost: faulted.lost,
      double: faulted.rows.length - ids.size,
      "groups that differ from the clean run": different,
      "completions with masked log-probabilities": faulted.nulls,
      "calls over the clean run": Number((requests() / groups).toFixed(4))
    }
  }
})

/** Everything that the part needs. */
export const services = Layer.mergeAll(
  server,
  Scorer.layer(RULES as Parameters<typeof Scorer.layer>[0]),
  NodeHttpClient.layerUndici
)

if (import.meta.main) {
  const asked = options({ count: 100_000 })
  const { chosen, counts, reasons, seconds } = await Effect.runPromise(
    faultedRequests(asked.count, asked.seed).pipe(Effect.scoped, Effect.provide(services))
  )
  report({
    part: "faulted-requests",
    options: asked,
    seconds,
    counts,
    held:
      counts.lost === 0 &&
      counts.double === 0 &&
      counts["groups that differ from the clean run"] === 0 &&
      counts["calls over the clean run"] <= 1.3,
    details: { chosen, reasons }
  })
}
