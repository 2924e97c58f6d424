/**
 * `node torture/updates.ts --count 10000`: optimizer steps of the real trainer over a network that loses 5 % of the answers and 5 % of the requests and
 * delivers 2 % twice. Ledger, answers and weights must be those of a trainer whose network loses nothing.
 */
import { ofJson } from "@gradus/domain/Digest"
import * as Seed from "@gradus/domain/Seed"
import { mix } from "@gradus/testing/FaultMix"
import { FaultProxy } from "@gradus/testing/FaultProxy"
import * as HttpTrainer from "@gradus/trainer-client/HttpTrainer"
import { Trainer } from "@gradus/trainer-client/Trainer"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { options } from "./options.ts"
import { report } from "./result.ts"
import { RUN, spec, tinyTrainer, token, updateOf } from "./tinyTrainer.ts"

const CHECKPOINT_EVERY = 250

/** Sends all updates, with a checkpoint now and then. Gives the chain of digests: of what was sent, what was answered, and the weights. */
const send = Effect.fnUntraced(function* (url: string, count: number, seed: Seed.Seed) {
  const layer = HttpTrainer.layer({ url, token, deadline: "60 seconds", attempts: 12 })
  const trainer = Context.get(yield* Layer.build(layer.pipe(Layer.provide(NodeHttpClient.layerUndici))), Trainer)
  const run = yield* trainer.open(RUN, spec)
  let [chain, version, replayed] = ["", 0, 0]
  for (let update = 1; update <= count; update++) {
    const sent = updateOf(update, version, seed)
    const answer = yield* trainer.update(run, sent)
    version = answer.version
    replayed += answer.replayed ? 1 : 0
    const weights =
      update % CHECKPOINT_EVERY === 0 || update === count
        ? (yield* trainer.checkpoint(run, `at-${update}`, { policy: false })).digest
        : null
    chain = ofJson({ chain, update, digest: sent.digest, version, metrics: answer.metrics, weights })
  }
  return { chain, version, replayed }
})

/** All updates to a trainer whose network loses nothing. */
const unharmed = Effect.fnUntraced(function* (count: number, seed: Seed.Seed) {
  const { ledger, url } = yield* tinyTrainer
  const started = performance.now()
  const sent = yield* send(url, count, seed)
  return { ...sent, ledger: ledger(), milliseconds: performance.now() - started }
}, Effect.scoped)

/** All updates to a trainer behind a network that loses and doubles. */
const harmed = Effect.fnUntraced(function* (count: number, seed: Seed.Seed) {
  const { ledger, url } = yield* tinyTrainer
  const kinds = { lost: { kind: "lost_answer" }, "request lost": { kind: "lost_request" } } as const
  const losses = mix(kinds, 0.1, Seed.child(seed, "losses"), ({ method }) => method === "PUT")
  const twice = mix({ twice: { kind: "delivered_twice" } }, 0.02, Seed.child(seed, "twice"), ({ path }) =>
    path.includes("/updates/")
  )
  const fault = (request: Parameters<typeof losses.fault>[0]) => losses.fault(request) ?? twice.fault(request)
  const proxy = Context.get(yield* Layer.build(FaultProxy.layer({ upstream: url, fault })), FaultProxy)
  const sent = yield* send(proxy.url, count, seed)
  return { ...sent, ledger: ledger(), faults: proxy.faults(), requests: proxy.requests() }
}, Effect.scoped)

/** Runs the part: both trainers at once, each on a core of its own where there are two. */
export const updates = Effect.fnUntraced(function* (count: number, seedNumber: number) {
  const seed = Seed.root(seedNumber)
  const started = performance.now()
  const [clean, faulted] = yield* Effect.all([unharmed(count, seed), harmed(count, seed)], { concurrency: 2 })
  const numbers = faulted.ledger.map((row) => Number(row.split(" ")[0]))
  return {
    seconds: (performance.now() - started) / 1000,
    held:
      clean.chain === faulted.chain &&
      JSON.stringify(clean.ledger) === JSON.stringify(faulted.ledger) &&
      faulted.ledger.length === count,
    counts: {
      updates: count,
      "requests of the faulted run": faulted.requests,
      "answers lost": faulted.faults["lost_answer"] ?? 0,
      "requests lost": faulted.faults["lost_request"] ?? 0,
      "delivered twice": faulted.faults["delivered_twice"] ?? 0,
      "answers that were replays": faulted.replayed,
      "numbers missing in the ledger": count - new Set(numbers).size,
      "numbers twice in the ledger": numbers.length - new Set(numbers).size,
      "ledgers equal": String(JSON.stringify(clean.ledger) === JSON.stringify(faulted.ledger)),
      "chains of digests equal": String(clean.chain === faulted.chain),
      "ms an update, clean": Number((clean.milliseconds / count).toFixed(2))
    }
  }
})

if (import.meta.main) {
  const asked = options({ count: 10_000 })
  report({ part: "updates", options: asked, ...(await Effect.runPromise(updates(asked.count, asked.seed))) })
}
