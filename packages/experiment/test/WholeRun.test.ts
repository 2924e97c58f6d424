/** A whole run over a simulated policy: what it leaves, every transition at which it can be cut, and groups that nobody could score. */
import type { RunSummary } from "@gradus/domain/RunSummary"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { readJournal } from "../src/Journal.ts"
import { readRun } from "../src/ReadRun.ts"
import { layout } from "../src/RunDirectory.ts"
import { Crashed, type Fails, inTemporaryRuns, manifestOf, service, simulate } from "./simulated.ts"

const none: Fails = () => false
/** Of every second step one question in two, as its id ends: a question that comes back is asked in a step of its own. */
const some: Fails = (step, id) => step % 2 === 1 && Number(id.at(-1)) % 2 === 0

// one pass: what comes back is asked after it
const { steps: _six, ...onePass } = manifestOf({}).train
const longer = { train: onePass }

const journalOf = Effect.fnUntraced(function* (dir: string) {
  return (yield* readJournal((yield* layout(dir)).journal)).events
})

describe("a whole run of a simulated policy", () => {
  it.effect("learns, leaves every file, and says in its lineage that it is simulated", () =>
    inTemporaryRuns((runs) =>
      Effect.gen(function* () {
        const summary = yield* simulate(manifestOf({}), runs, service())
        const record = yield* readRun(summary.dir)
        assert.isTrue(record.finished)
        assert.strictEqual(summary.steps, 6)
        assert.strictEqual(record.lineage.trainer.device, "simulated")
        assert.deepStrictEqual(
          record.plan.map(({ questions }) => questions.length),
          [4, 4, 4, 4, 4, 4]
        )
        const first = summary.eval["heldout"]
        assert.isAbove(first?.last ?? 0, first?.first ?? 1)
      })
    )
  )

  it.effect("returns questions whose groups could not be scored, and asks them again", () =>
    inTemporaryRuns((runs) =>
      Effect.gen(function* () {
        const { dir } = yield* simulate(manifestOf(longer), runs, service(), undefined, some)
        const made = (yield* journalOf(dir)).flatMap((event) => (event._tag === "step_generated" ? [event] : []))
        const outcomes = made.flatMap(({ outcomes: own, step }) => (own ?? []).map((outcome) => ({ ...outcome, step })))
        const returned = outcomes.filter(({ scored }) => scored === 0)
        assert.isAbove(returned.length, 2, "no group fell below its floor")
        const asked = Map.groupBy(outcomes, ({ question_id }) => question_id)
        for (const [id, own] of asked)
          assert.isAtMost(own.filter(({ scored }) => scored > 0).length, 1, `${id} was scored twice`)
        assert.isAbove([...asked.values()].filter((own) => own.length > 1).length, 0, "nothing came back")
      })
    )
  )
})

/** What a run came to: its digests, and of each stage what its output depends on. */
const cameTo = Effect.fnUntraced(function* ({ digest, dir }: RunSummary) {
  const stages = (yield* journalOf(dir)).flatMap((event) =>
    event._tag === "stage_finished" ? [[event.stage, event.input_digest, event.weights]] : []
  )
  return { digest, stages }
})

/** Runs until the orchestrator dies at a port's n-th call, then again; undefined when there is no n-th call. */
const cutAt = Effect.fnUntraced(function* (over: object, at: number, fails: Fails) {
  return yield* inTemporaryRuns((runs) =>
    Effect.gen(function* () {
      const kept = service()
      const manifest = manifestOf(over)
      const first = yield* Effect.exit(simulate(manifest, runs, kept, { at, after: at % 2 === 0 }, fails))
      if (Exit.isSuccess(first)) return undefined
      assert.instanceOf(Cause.squash(first.cause), Crashed)
      // every third time the trainer is gone with it: it comes back with its last checkpoint
      if (at % 3 === 0) kept.live = kept.durable
      return yield* cameTo(yield* simulate(manifest, runs, kept, undefined, fails))
    })
  )
})

// every fifth call: before and after it takes effect, with and without the trainer; all calls are in torture
describe("a run that is cut at a transition", () => {
  it.effect.each([
    ["and nothing else", {}, none, 1],
    ["with groups that cannot be scored", {}, some, 3]
  ] as const)(
    "%s goes on to the digests of one that was not",
    ([, over, fails, first]) =>
      Effect.gen(function* () {
        const whole = yield* inTemporaryRuns((runs) =>
          Effect.flatMap(simulate(manifestOf(over), runs, service(), undefined, fails), cameTo)
        )
        for (let at = first; ; at += 5) {
          const cut = yield* cutAt(over, at, fails)
          if (cut === undefined) return assert.isAbove(at, 20)
          assert.deepStrictEqual(cut, whole, `after a cut at call ${at}`)
        }
      }),
    120_000
  )
})
