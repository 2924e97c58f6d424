/** The simulated trainer behind the real port and codec: it keeps the protocol's promises. */
import { assert, describe, it } from "@effect/vitest"
import * as Seed from "@gradus/domain/Seed"
import type { UpdateRow } from "@gradus/domain/UpdateBatch"
import { simulatedQuestions } from "@gradus/simulation/SimulatedAnswers"
import { simulatedPolicy } from "@gradus/simulation/SimulatedPolicy"
import { decode as decodeState, type SimulatedState } from "@gradus/simulation/SimulatedState"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { RunSpec } from "../src/RunSpec.ts"
import { Trainer } from "../src/Trainer.ts"
import { TrainerRefused } from "../src/TrainerErrors.ts"
import { decodeUpdate, encodeUpdate } from "../src/UpdateCodec.ts"

const questions = simulatedQuestions(
  Array.from({ length: 20 }, (_, i) => ({ question_id: `a/${i}`, question: "?", gold: "1", thinking: "off" as const })),
  { seed: Seed.root(1) }
)

const make = (state?: SimulatedState, save?: (state: SimulatedState) => Effect.Effect<void>) =>
  Effect.map(
    simulatedPolicy({
      questions,
      state,
      save,
      decode: decodeUpdate,
      refuse: (refusal) => new TrainerRefused(refusal),
      fail: (reason) => new Error(reason)
    }),
    (policy) => ({ ...policy, trainer: Trainer.of(policy.trainer) })
  )

const spec: RunSpec = {
  policy: { kind: "huggingface", path: "none" },
  optimizer: { kind: "adamw", beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weight_decay: 0, max_grad_norm: 1 },
  micro_batch_tokens: 1,
  dtype: "auto"
}

const rowOf = (i: number, advantage: number): UpdateRow => ({
  sample_id: `train/1/a/${i}/0`,
  group_id: `train/1/a/${i}`,
  // "?" and then the gold "1" or a wrong "2", and the end.
  token_ids: [63, advantage > 0 ? 49 : 50, 0],
  loss_mask: [0, 1, 1],
  rollout_logprob: [0, -0.1, -0.1],
  advantage,
  reward: advantage > 0 ? 1 : 0,
  temperature: 1,
  truncated: 0
})

const updateOf = (update: number, parent_version: number, rows: ReadonlyArray<UpdateRow>, learning_rate = 1e-6) =>
  encodeUpdate({
    header: {
      run: "r",
      update,
      parent_version,
      learning_rate,
      loss: { kind: "clipped", clip_low: 0.2, clip_high: 0.2, kl_coef: 0 },
      normaliser: "tokens",
      denominator: 2 * rows.length
    },
    rows
  })

const good = [rowOf(0, 1), rowOf(1, -1)]
const code = <A, R>(effect: Effect.Effect<A, unknown, R>) =>
  Effect.map(Effect.flip(effect), (error) => (error instanceof TrainerRefused ? error.code : String(error)))

describe("the simulated trainer", () => {
  it.effect("says that it is a simulation wherever it is asked", () =>
    Effect.gen(function* () {
      const { trainer } = yield* make()
      assert.deepInclude(yield* trainer.info, {
        device: "simulated",
        torch: "none (simulated)",
        cpu_capability: "simulated",
        determinism: "bitwise"
      })
    })
  )

  it.effect("applies each numbered update once, answers replays, and refuses what the protocol refuses", () =>
    Effect.gen(function* () {
      const { trainer } = yield* make()
      const run = yield* trainer.open("r", spec)
      const first = yield* trainer.update(run, updateOf(1, 0, good))
      assert.deepInclude(first, { applied: true, replayed: false, version: 1, update: 1 })
      assert.isAbove(first.metrics["simulated/ability"] ?? NaN, 0)
      assert.deepStrictEqual(yield* trainer.update(run, updateOf(1, 0, good)), { ...first, replayed: true })
      assert.deepStrictEqual(yield* trainer.storedUpdate(run, 1), Option.some(first))
      assert.isTrue(Option.isNone(yield* trainer.storedUpdate(run, 2)))
      assert.strictEqual(yield* code(trainer.update(run, updateOf(1, 0, [rowOf(2, 1)]))), "update_conflict")
      assert.strictEqual(yield* code(trainer.update(run, updateOf(3, 1, good))), "update_gap")
      assert.strictEqual(yield* code(trainer.update(run, updateOf(2, 0, good))), "version_conflict")
      assert.strictEqual(yield* code(trainer.update(run, updateOf(2, 1, []))), "batch_empty")
      const garbage = { ...updateOf(2, 1, good), bytes: Uint8Array.of(1, 2, 3) }
      assert.strictEqual(yield* code(trainer.update(run, garbage)), "arrow_malformed")
      const newer = yield* trainer.open("r", spec)
      assert.strictEqual(newer.next_update, 2)
      assert.strictEqual(yield* code(trainer.update(run, updateOf(2, 1, good))), "stale_lease")
      assert.strictEqual(yield* code(trainer.close({ ...newer, run: "other" })), "run_unknown")
    })
  )

  it.effect("goes on from a stored state as if it had not stopped, and opens what it saved", () =>
    Effect.gen(function* () {
      let saved = ""
      const first = yield* make(undefined, (state) => Effect.sync(() => void (saved = JSON.stringify(state))))
      const run = yield* first.trainer.open("r", spec)
      yield* first.trainer.update(run, updateOf(1, 0, good))
      const { digest } = yield* first.trainer.checkpoint(run, "final", { policy: true })
      const again = yield* make(yield* decodeState(saved))
      const reopened = yield* again.trainer.open("r", spec)
      assert.deepInclude(reopened, { version: 1, next_update: 2, durable_update: 1 })
      const here = yield* first.trainer.update(run, updateOf(2, 1, good))
      const there = yield* again.trainer.update(reopened, updateOf(2, 1, good))
      assert.deepStrictEqual(there, here)
      const artifact = { ...spec, policy: { kind: "artifact", digest } as RunSpec["policy"] }
      assert.strictEqual((yield* again.trainer.open("next", artifact)).policy_digest, digest)
      const unknown = { ...spec, policy: { kind: "artifact", digest: "0".repeat(64) } as RunSpec["policy"] }
      assert.strictEqual(yield* code(again.trainer.open("none", unknown)), "policy_unavailable")
    })
  )

  it.effect("follows the learning-rate schedule, not its scale", () =>
    Effect.gen(function* () {
      const moved = (rate: number, then: number) =>
        Effect.gen(function* () {
          const { trainer } = yield* make()
          const run = yield* trainer.open("r", spec)
          const one = yield* trainer.update(run, updateOf(1, 0, good, rate))
          const two = yield* trainer.update(run, updateOf(2, 1, good, then))
          return [one.metrics["grad_norm"] ?? NaN, two.metrics["grad_norm"] ?? NaN] as const
        })
      assert.deepStrictEqual(yield* moved(1e-6, 1e-7), yield* moved(1e-3, 1e-4))
      const [, full] = yield* moved(1e-6, 1e-6)
      const [, tenth] = yield* moved(1e-6, 1e-7)
      assert.closeTo(tenth / full, 0.1, 1e-9)
    })
  )

  it.effect(
    "learns from what a completion is, not from its reward: rewards that are shuffled teach nothing on average",
    () =>
      Effect.gen(function* () {
        const { trainer } = yield* make()
        const run = yield* trainer.open("r", spec)
        // A right and a wrong answer of each question with either sign of the advantage: the signals cancel, but for what p makes of them.
        const shuffled = Array.from({ length: 20 }, (_, i) => [
          rowOf(i, 1),
          rowOf(i, -1),
          { ...rowOf(i, 1), advantage: -1, reward: 0 },
          { ...rowOf(i, -1), advantage: 1, reward: 1 }
        ]).flat()
        const answer = yield* trainer.update(run, updateOf(1, 0, shuffled))
        assert.closeTo(answer.metrics["simulated/ability"] ?? NaN, 0, 1e-12)
      })
  )

  it.effect("imitates worked examples in a warm-up", () =>
    Effect.gen(function* () {
      const { trainer } = yield* make()
      const run = yield* trainer.open("warm", spec)
      const row = { sample_id: "w", group_id: "warmup/x", token_ids: [1, 2], loss_mask: [0, 1] as const }
      const answers = yield* Effect.forEach([1, 2, 3], (update) =>
        trainer.update(
          run,
          encodeUpdate({
            header: {
              run: "warm",
              update,
              parent_version: update - 1,
              learning_rate: 1e-3,
              loss: { kind: "cross_entropy" },
              normaliser: "tokens",
              denominator: 1
            },
            rows: [row]
          })
        )
      )
      const losses = answers.map(({ metrics }) => metrics["loss"] ?? NaN)
      assert.isTrue((losses[0] ?? 0) > (losses[1] ?? 0) && (losses[1] ?? 0) > (losses[2] ?? 0))
    })
  )
})
