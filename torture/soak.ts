/**
 * `node --expose-gc torture/soak.ts --count 60`: minutes of generation and updates against the real trainer. The resident memory of both processes must not
 * grow by 1 MB a minute after the warm-up, nor their open files; the event loop of the orchestrator must not be held up.
 */
import * as Seed from "@gradus/domain/Seed"
import * as EmbeddedGenerator from "@gradus/inference/EmbeddedGenerator"
import { Generator } from "@gradus/inference/Generator"
import * as HttpTrainer from "@gradus/trainer-client/HttpTrainer"
import { Trainer } from "@gradus/trainer-client/Trainer"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { readdirSync, readFileSync } from "node:fs"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { options } from "./options.ts"
import { report } from "./result.ts"
import { RUN, spec, tinyTrainer, token, updateOf } from "./tinyTrainer.ts"

const WARM_UP = 0.2
const SAMPLE_EVERY_MS = 5000
const CHECKPOINT_EVERY = 100

interface Sample {
  readonly minute: number
  readonly orchestrator: number
  readonly trainer: number
  readonly files: number
}

const PAGE = 4096
/** Resident memory of a process, MB; that of Node after a collection where it can be asked for. */
const residentOf = (pid: number | "self"): number =>
  (Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * PAGE) / 1e6
const openFiles = (pid: number | "self"): number => readdirSync(`/proc/${pid}/fd`).length

/** Slope of a least-squares line. */
const slope = (points: ReadonlyArray<readonly [number, number]>): number => {
  const mean = (values: ReadonlyArray<number>) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [x, y] = [mean(points.map(([at]) => at)), mean(points.map(([, value]) => value))]
  const spread = points.reduce((sum, [at]) => sum + (at - x) ** 2, 0)
  return points.reduce((sum, [at, value]) => sum + (at - x) * (value - y), 0) / spread
}

const request = (step: number, version: number) => ({
  stage: "train",
  step,
  model: RUN,
  policyVersion: version,
  sampling: { temperature: 1, max_tokens: 12 },
  groups: Array.from({ length: 4 }, (_, j) => ({
    question_id: `q${j}`,
    prompt: "abcd",
    samples: 4,
    seed: 100 * step + j
  }))
})

/** Generates and trains for so many minutes. */
const work = Effect.fnUntraced(function* (minutes: number, seedNumber: number) {
  const { pid, url } = yield* tinyTrainer
  const layers = Layer.merge(
    HttpTrainer.layer({ url, token, deadline: "60 seconds", attempts: 3 }),
    EmbeddedGenerator.layer({ url, token, chunkPrompts: 4, deadline: "60 seconds", attempts: 3 })
  )
  const services = yield* Layer.build(layers.pipe(Layer.provide(NodeHttpClient.layerUndici)))
  const [trainer, generator] = [Context.get(services, Trainer), Context.get(services, Generator)]
  const run = yield* trainer.open(RUN, spec)
  const delay = monitorEventLoopDelay({ resolution: 10 })
  const samples: Array<Sample> = []
  const started = performance.now()
  let [update, version, sampled] = [0, 0, 0]
  const minute = () => (performance.now() - started) / 60_000
  while (minute() < minutes) {
    yield* generator.generate(request(update, version))
    update++
    version = (yield* trainer.update(run, updateOf(update, version, Seed.root(seedNumber)))).version
    if (update % CHECKPOINT_EVERY === 0) yield* trainer.checkpoint(run, `at-${update}`, { policy: false })
    if (samples.length > 0 && performance.now() - sampled < SAMPLE_EVERY_MS) continue
    if (samples.length === 0) delay.enable()
    sampled = performance.now()
    globalThis.gc?.()
    const files = openFiles("self") + openFiles(pid)
    samples.push({ minute: minute(), orchestrator: residentOf("self"), trainer: residentOf(pid), files })
  }
  return { samples, update, p99: delay.percentile(99) / 1e6 }
})

if (import.meta.main) {
  const asked = options({ count: 60 })
  const started = performance.now()
  let unhandled = 0
  process.on("unhandledRejection", () => unhandled++)
  const { p99, samples, update } = await Effect.runPromise(Effect.scoped(work(asked.count, asked.seed)))
  const warm = samples.filter(({ minute }) => minute >= WARM_UP * asked.count)
  const slopeOf = (part: "orchestrator" | "trainer" | "files") =>
    Number(slope(warm.map((sample) => [sample.minute, sample[part]])).toFixed(3))
  const counts = {
    minutes: asked.count,
    updates: update,
    "orchestrator MB a minute": slopeOf("orchestrator"),
    "trainer MB a minute": slopeOf("trainer"),
    "open files a minute": slopeOf("files"),
    "orchestrator MB at the end": Math.round(samples.at(-1)?.orchestrator ?? NaN),
    "trainer MB at the end": Math.round(samples.at(-1)?.trainer ?? NaN),
    "event loop p99 ms": Number(p99.toFixed(1)),
    "unhandled rejections": unhandled
  }
  const held =
    counts["orchestrator MB a minute"] < 1 && counts["trainer MB a minute"] < 1 && counts["open files a minute"] < 1
  report({
    part: "soak",
    options: asked,
    seconds: (performance.now() - started) / 1000,
    counts,
    held: held && unhandled === 0,
    details: samples
  })
}
