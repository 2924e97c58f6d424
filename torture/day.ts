/**
 * `node torture/day.ts --count 4800`: a day of training on a simulated clock, 18 s a step, on a network where a tenth of the calls is lost or hangs until its
 * deadline. The run, its journal and its files are real; the policy and the time are simulated.
 */
import * as Seed from "@gradus/domain/Seed"
import { run } from "@gradus/experiment/Run"
import { Generator, GeneratorFailed } from "@gradus/inference/Generator"
import { load } from "@gradus/manifest/service/Load"
import { layer as lease } from "@gradus/store/EmbeddedRunLease"
import { Trainer } from "@gradus/trainer-client/Trainer"
import { TrainerUnreachable } from "@gradus/trainer-client/TrainerErrors"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { historyOf } from "./history.ts"
import { options } from "./options.ts"
import { report, root } from "./result.ts"
import { engines, inputOf } from "./simulated.ts"

/** What a step's generation and an update take, seconds. */
const GENERATION_SECONDS = 18
const UPDATE_SECONDS = 2
const DEADLINE_SECONDS = 30
const SHARE = 0.1

/** Waits while the simulated clock moves on by as much. */
const pass = (seconds: number) =>
  Effect.all([Effect.sleep(`${seconds} seconds`), TestClock.adjust(`${seconds} seconds`)], {
    concurrency: "unbounded",
    discard: true
  })

interface Faults {
  lost: number
  hung: number
}

/** Makes a call that takes its time, and now and then is lost, before or after its effect, or hangs until its deadline; it is made again until it is answered. */
const unreliable =
  (stream: Seed.Stream, faults: Faults) =>
  <A, E>(seconds: number, call: Effect.Effect<A, E>, broken: () => E): Effect.Effect<A, E> => {
    const once = Effect.suspend((): Effect.Effect<A, E> => {
      const draw = stream.next()
      if (draw < SHARE / 2) {
        faults.hung++
        return Effect.andThen(pass(DEADLINE_SECONDS), Effect.fail(broken()))
      }
      const timely = Effect.andThen(pass(seconds), call)
      if (draw >= SHARE) return timely
      faults.lost++
      return Effect.andThen(draw < 0.75 * SHARE ? pass(1) : timely, Effect.fail(broken()))
    })
    return Effect.retry(once, { times: 20 })
  }

/** The simulated engines behind a network that fails. */
const unreliableEngines = (...[manifest, place]: Parameters<typeof engines>) =>
  Layer.effectContext(
    Effect.gen(function* () {
      const services = yield* Layer.build(engines(manifest, place))
      const faults: Faults = { lost: 0, hung: 0 }
      const again = unreliable(Seed.stream(Seed.child(Seed.root(1), "network")), faults)
      const generator = Context.get(services, Generator)
      const trainer = Context.get(services, Trainer)
      const reason = "the network lost it"
      return services.pipe(
        Context.add(Generator, {
          ...generator,
          generate: (request) =>
            again(
              GENERATION_SECONDS,
              generator.generate(request),
              () => new GeneratorFailed({ url: "day", reason, retryable: true })
            )
        }),
        Context.add(Trainer, {
          ...trainer,
          update: (handle, update) =>
            again(UPDATE_SECONDS, trainer.update(handle, update), () => new TrainerUnreachable({ url: "day", reason }))
        }),
        Context.add(Count, faults)
      )
    })
  )

class Count extends Context.Service<Count, Faults>()("torture/day/Count") {}

const simulate = (runs: string, steps: number, seed: number) =>
  Effect.gen(function* () {
    const loaded = yield* load(join(root, "torture/simulated.yaml"), [
      `seed=${seed}`,
      `train.steps=${steps}`,
      "train.updates_per_step=1",
      "train.checkpoint_every=200",
      'curriculum={"batcher":"adarft"}',
      'evaluate={"samples":1,"every":400}'
    ])
    const place = { root: `${runs}/day`, base: loaded.directory, survives: "checkpoint" as const }
    const services = yield* Layer.build(unreliableEngines(loaded.manifest, place))
    const input = inputOf(loaded, place.root)
    const began = yield* Clock.currentTimeMillis
    const summary = yield* run(input, Layer.succeedContext(services))
    return {
      summary,
      hours: ((yield* Clock.currentTimeMillis) - began) / 3_600_000,
      faults: Context.get(services, Count)
    }
  }).pipe(Effect.scoped, Effect.provide([NodeServices.layer, lease, TestClock.layer()]))

/** Runs `count` steps; 4,800 of them are a day and more. */
export const day = async (count: number, seed: number) => {
  const started = performance.now()
  const runs = mkdtempSync(join(tmpdir(), "gradus-day-"))
  const { faults, hours, summary } = await Effect.runPromise(simulate(runs, count, seed))
  const history = historyOf(summary.dir)
  const numbers = history.applied.map((line) => Number(line.split(" ")[0]))
  const inOrder = numbers.every((number, index) => number === index + 1)
  rmSync(runs, { recursive: true, force: true })
  const seconds = (performance.now() - started) / 1000
  return {
    seconds,
    held: inOrder && summary.steps === count && hours >= (count * GENERATION_SECONDS) / 3600 && seconds < 600,
    counts: {
      steps: summary.steps,
      "simulated hours": Number(hours.toFixed(2)),
      "updates applied": numbers.length,
      "updates out of order, lost or twice": inOrder ? 0 : 1,
      "calls lost": faults.lost,
      "calls that hung": faults.hung,
      "resident MB at the end": Math.round(process.memoryUsage().rss / 1e6)
    }
  }
}

if (import.meta.main) {
  const asked = options({ count: 4800 })
  report({ part: "day", options: asked, ...(await day(asked.count, asked.seed)) })
}
