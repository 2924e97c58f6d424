import type { JournalEvent } from "@gradus/domain/Journal"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { readJournal } from "../src/Journal.ts"
import { readRun } from "../src/ReadRun.ts"
import { layout } from "../src/RunDirectory.ts"
import { servedBatches } from "../src/Served.ts"
import { Crashed, inTemporaryRuns, manifestOf, service, simulate } from "./simulated.ts"

const gate = { low: 0, high: 1, max_rounds: 6 }
const refresh = { rule: "every", steps: 2 }

const eventsOf = Effect.fnUntraced(function* (root: string) {
  return (yield* readJournal((yield* layout(root)).journal)).events
})
const steps = (events: ReadonlyArray<JournalEvent>) =>
  events.flatMap((event) => (event._tag === "step_generated" ? [event] : []))

describe("a run with a gate", () => {
  it.effect("trains on groups that teach, and counts every completion that was generated for them", () =>
    inTemporaryRuns((runs) =>
      Effect.gen(function* () {
        const { dir } = yield* simulate(manifestOf({ gate }), runs, service())
        const record = yield* readRun(dir)
        const made = steps(yield* eventsOf(dir))
        assert.isAbove(made.flatMap((event) => event.refill ?? []).length, 0, "no step needed a refill")
        for (const { batch, metrics, outcomes, refill, step } of made) {
          const all = [...(outcomes ?? []), ...(refill ?? []).flatMap((round) => round.outcomes)]
          const teaching = all.filter(({ passed, scored }) => passed > 0 && passed < scored).length
          assert.strictEqual(metrics["curriculum/generated"], 4 * all.length)
          assert.strictEqual(metrics["curriculum/short"], 4 - Math.min(4, teaching))
          assert.isAtMost(teaching, 4)
          assert.strictEqual(batch?.questions.length, 4)
          const history = (record.history ?? []).filter((row) => row.step === step)
          assert.strictEqual(history.filter(({ taught }) => taught > 0).length, teaching)
        }
      })
    )
  )

  it.effect("moves its targets by the steps, not by the refills", () =>
    inTemporaryRuns((runs) =>
      Effect.gen(function* () {
        const { dir } = yield* simulate(manifestOf({ gate }), runs, service())
        const made = steps(yield* eventsOf(dir))
        const rounds = made.flatMap(({ batch, refill }) =>
          [{ batch }, ...(refill ?? [])].map((one) => [batch, one.batch])
        )
        assert.isAbove(rounds.length, made.length, "no step needed a refill")
        for (const [first, batch] of rounds) assert.strictEqual(batch?.targetMean, first?.targetMean)
        const targets = made.map(({ batch }) => batch?.targetMean ?? NaN)
        const [from = NaN] = targets
        const stair = ((targets.at(-1) ?? NaN) - from) / (targets.length - 1)
        assert.isBelow(stair, 0)
        targets.forEach((target, i) => assert.closeTo(target, from + i * stair, 1e-9))
      })
    )
  )

  it.effect("asks no question twice, and says at the end what it asked", () =>
    inTemporaryRuns((runs) =>
      Effect.gen(function* () {
        const { dir } = yield* simulate(manifestOf({ gate }), runs, service())
        const record = yield* readRun(dir)
        const asked = record.plan.flatMap((batch) => batch.questions)
        assert.lengthOf(new Set(asked), asked.length)
        assert.deepStrictEqual(record.plan, servedBatches(yield* eventsOf(dir)))
        assert.isAbove(asked.length, 6 * 4)
      })
    )
  )
})

describe("a run with a refresh", () => {
  it.effect("profiles what is left with the policy of that moment, and serves no question again", () =>
    inTemporaryRuns((runs) =>
      Effect.gen(function* () {
        const { dir } = yield* simulate(manifestOf({ refresh }), runs, service())
        const record = yield* readRun(dir)
        assert.deepStrictEqual(
          record.refreshes?.map(({ step }) => step),
          [2, 4]
        )
        const kept = record.profile.filter((row) => row.rate !== null && row.rate < 0.75).length
        assert.strictEqual(record.refreshes?.[0]?.metrics["refresh/questions"], kept - 2 * 4)
        assert.strictEqual(record.refreshes?.[1]?.metrics["refresh/questions"], kept - 4 * 4)
        const asked = record.plan.flatMap((batch) => batch.questions)
        assert.lengthOf(new Set(asked), asked.length)
        assert.lengthOf(asked, 6 * 4)
        const metrics: Readonly<Record<string, number | null>> = record.refreshes?.[0]?.metrics ?? {}
        const parts = ["refresh/low_change_by_regression", "refresh/low_change_beyond_regression"] as const
        const sum = parts.reduce((total, name) => total + (metrics[name] ?? NaN), 0)
        assert.closeTo(sum, metrics["refresh/low_change"] ?? NaN, 1e-12)
        assert.strictEqual(record.metrics.filter((row) => row.stage === "refresh").length, 2)
      })
    )
  )

  it.effect("at a plateau only, when the readings stand still", () =>
    inTemporaryRuns((runs) =>
      Effect.gen(function* () {
        const rule = (min_gain: number) => ({ rule: "plateau", window: 2, min_gain, cooldown: 2 })
        const evaluate = { samples: 1, every: 1 }
        const flat = yield* simulate(manifestOf({ refresh: rule(2), evaluate }), runs, service())
        const [first] = (yield* readRun(flat.dir)).refreshes ?? []
        assert.strictEqual(first?.step, 4)
        assert.match(first?.reason ?? "", /^a plateau: the last 2 readings are/)
        const rising = yield* simulate(manifestOf({ refresh: rule(0), evaluate, seed: 1 }), runs, service())
        assert.isBelow((yield* readRun(rising.dir)).refreshes?.length ?? 9, 2)
      })
    )
  )
})

const digestOf = Effect.fnUntraced(function* (over: object) {
  return yield* inTemporaryRuns((runs) =>
    Effect.map(simulate(manifestOf(over), runs, service()), ({ digest }) => digest)
  )
})

/** Runs until the orchestrator dies at a port's n-th call, then the same command again. Returns undefined when there is no n-th call. */
const crashed = Effect.fnUntraced(function* (over: object, at: number) {
  return yield* inTemporaryRuns((runs) =>
    Effect.gen(function* () {
      const manifest = manifestOf(over)
      const kept = service()
      const first = yield* Effect.exit(simulate(manifest, runs, kept, { at, after: at % 2 === 0 }))
      if (Exit.isSuccess(first)) return undefined
      assert.instanceOf(Cause.squash(first.cause), Crashed)
      // every third time the trainer is gone with it: it comes back with its last checkpoint
      if (at % 3 === 0) kept.live = kept.durable
      return (yield* simulate(manifest, runs, kept)).digest
    })
  )
})

// every fifth call: before and after it takes effect, with and without the trainer; all calls are in torture
describe("a run that dies at a call", () => {
  const cases = [
    ["with a gate", 0, { gate }],
    ["with a refresh", 1, { refresh }],
    ["with both and a batcher that learns from outcomes", 2, { gate, refresh, curriculum: { batcher: "learnability" } }]
  ] as const
  it.effect.each(cases)(
    "%s goes on to the same digests",
    ([, first, over]) =>
      Effect.gen(function* () {
        const whole = yield* digestOf(over)
        for (let at = 1 + first; ; at += 5) {
          const digest = yield* crashed(over, at)
          if (digest === undefined) return assert.isAbove(at, 20)
          assert.deepStrictEqual(digest, whole, `after a crash at call ${at}`)
        }
      }),
    60_000
  )
})
