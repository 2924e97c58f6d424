import { tinyPolicy } from "@gradus/testing/TinyPolicy"
import { assert, layer } from "@effect/vitest"
import type { UpdateBatch } from "@gradus/domain/UpdateBatch"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { Trainer } from "../src/Trainer.ts"
import { encodeUpdate } from "../src/UpdateCodec.ts"
import * as RealTrainer from "./realTrainer.ts"

const batch = (run: string, update: number, parent_version: number, advantage = 1): UpdateBatch => ({
  header: {
    run,
    update,
    parent_version,
    learning_rate: 1e-2,
    loss: { kind: "clipped", clip_low: 0.2, clip_high: 0.28, kl_coef: 0 },
    normaliser: "tokens",
    denominator: 4
  },
  rows: [0, 1].map((k) => ({
    sample_id: `train/1/q/${k}`,
    group_id: "train/1/q",
    token_ids: [2, 3, 4 + k, 1],
    loss_mask: [0, 0, 1, 1],
    rollout_logprob: [0, 0, -1.8, -1.8],
    advantage: k === 0 ? advantage : -advantage,
    temperature: 1,
    sample_weight: 1,
    policy_version: parent_version,
    reward: 1 - k,
    truncated: 0
  }))
})

layer(RealTrainer.layer, { excludeTestServices: true, timeout: "120 seconds" })(
  "HttpTrainer on the real service",
  (it) => {
    it.effect("says what it is and promises bits on a CPU", () =>
      Effect.gen(function* () {
        const info = yield* (yield* Trainer).info
        assert.strictEqual(info.determinism, "bitwise")
        assert.strictEqual(info.device, "cpu")
        assert.includeMembers([...info.losses], ["cross_entropy", "clipped"])
      })
    )

    it.effect(
      "applies an update once: the same bytes again get the stored answer, other bytes a conflict, a gap the number expected",
      () =>
        Effect.gen(function* () {
          const trainer = yield* Trainer
          const run = yield* trainer.open("once", tinyPolicy(1))
          assert.strictEqual(run.next_update, 1)
          assert.isTrue(Option.isNone(yield* trainer.storedUpdate(run, 1)))

          const first = encodeUpdate(batch("once", 1, 0))
          const answer = yield* trainer.update(run, first)
          assert.deepInclude(answer, { update: 1, version: 1, applied: true, replayed: false, digest: first.digest })
          assert.strictEqual(answer.usage.loss_tokens, 4)

          const again = yield* trainer.update(run, first)
          assert.isTrue(again.replayed)
          assert.deepStrictEqual(again.metrics, answer.metrics)
          const stored = yield* trainer.storedUpdate(run, 1)
          assert.deepStrictEqual(Option.getOrThrow(stored).metrics, answer.metrics)

          const other = yield* Effect.flip(trainer.update(run, encodeUpdate(batch("once", 1, 0, 2))))
          assert.deepInclude(other, { _tag: "TrainerRefused", status: 409, code: "update_conflict" })
          const gap = yield* Effect.flip(trainer.update(run, encodeUpdate(batch("once", 4, 1))))
          assert.deepInclude(gap, { _tag: "TrainerRefused", code: "update_gap", expected: 2 })
        })
    )

    it.effect(
      "learns: an update with advantages raises the rewarded token's log-probability and lowers the other's",
      () =>
        Effect.gen(function* () {
          const trainer = yield* Trainer
          const run = yield* trainer.open("learns", tinyPolicy(2))
          const { rows } = batch("learns", 1, 0)
          const before = yield* trainer.logprobs(run, rows)
          yield* trainer.update(run, encodeUpdate(batch("learns", 1, 0)))
          const after = yield* trainer.logprobs(run, rows)
          assert.deepStrictEqual(
            before.map(({ sample_id }) => sample_id),
            rows.map(({ sample_id }) => sample_id)
          )
          assert.deepStrictEqual(before[0]?.logprob.slice(0, 2), [0, 0])
          assert.isAbove(after[0]!.logprob[2]!, before[0]!.logprob[2]!)
          assert.isBelow(after[1]!.logprob[2]!, before[1]!.logprob[2]!)
        })
    )

    it.effect("accepts every column of the contract", () =>
      Effect.gen(function* () {
        const trainer = yield* Trainer
        const run = yield* trainer.open("columns", tinyPolicy(3))
        const { header, rows } = batch("columns", 1, 0)
        const logprobs = [0, 0, -1.7, -1.9]
        const full = rows.map((row) => ({
          ...row,
          token_advantage: [0, 0, 1, -1],
          old_logprob: logprobs,
          ref_logprob: logprobs
        }))
        const loss = { kind: "clipped", clip_low: 0.2, clip_high: 0.28, kl_coef: 0.1 } as const
        const answer = yield* trainer.update(run, encodeUpdate({ header: { ...header, loss }, rows: full }))
        assert.isTrue(answer.applied)
        assert.property(answer.metrics, "kl")
      })
    )

    it.effect("names column and row of what is refused, and goes on as if it had not been sent", () =>
      Effect.gen(function* () {
        const trainer = yield* Trainer
        const run = yield* trainer.open("refuses", tinyPolicy(4))
        const good = batch("refuses", 1, 0)
        const change = (k: number, part: object) => good.rows.map((row, i) => (i === k ? { ...row, ...part } : row))
        const refused = (rows: UpdateBatch["rows"]) => Effect.flip(trainer.update(run, encodeUpdate({ ...good, rows })))
        assert.deepInclude(yield* refused(change(1, { token_ids: [2, 3, 99, 1] })), {
          code: "token_out_of_range",
          field: "token_ids",
          row: 1,
          retryable: false
        })
        assert.deepInclude(yield* refused(change(0, { rollout_logprob: [0, 0, Number.NaN, 0] })), {
          code: "value_not_finite",
          field: "rollout_logprob",
          row: 0
        })
        assert.isTrue((yield* trainer.update(run, encodeUpdate(good))).applied)
      })
    )

    it.effect("fences off the holder of an older lease", () =>
      Effect.gen(function* () {
        const trainer = yield* Trainer
        const old = yield* trainer.open("fenced", tinyPolicy(5))
        const current = yield* trainer.open("fenced", tinyPolicy(5))
        const refused = yield* Effect.flip(trainer.update(old, encodeUpdate(batch("fenced", 1, 0))))
        assert.deepInclude(refused, { status: 412, code: "stale_lease" })
        assert.isTrue((yield* trainer.update(current, encodeUpdate(batch("fenced", 1, 0)))).applied)
        const other = yield* Effect.flip(trainer.open("fenced", tinyPolicy(6)))
        assert.deepInclude(other, { code: "run_conflict", field: "policy.seed" })
      })
    )

    it.effect("writes a policy that another run starts from", () =>
      Effect.gen(function* () {
        const trainer = yield* Trainer
        const run = yield* trainer.open("warmup", tinyPolicy(7))
        yield* trainer.update(run, encodeUpdate(batch("warmup", 1, 0)))
        const kept = yield* trainer.checkpoint(run, "done", { policy: true })
        assert.deepInclude(kept, { name: "done", update: 1, version: 1 })
        assert.isTrue(existsSync(join(kept.path ?? "", "model.safetensors")))
        yield* trainer.close(run)
        const { micro_batch_tokens, dtype, optimizer } = tinyPolicy(7)
        // a digest that the service itself has given
        const policy = { kind: "artifact", digest: kept.digest as never } as const
        const next = yield* trainer.open("train", { policy, micro_batch_tokens, dtype, optimizer })
        assert.deepInclude(next, { version: 0, next_update: 1, policy_digest: kept.digest })
      })
    )

    it.effect("turns texts into ids and back", () =>
      Effect.gen(function* () {
        const trainer = yield* Trainer
        const run = yield* trainer.open("texts", tinyPolicy(8))
        const ids = yield* trainer.tokenize(run, ["abcd", "ca"])
        assert.deepStrictEqual(ids, [
          [2, 3, 4, 5],
          [4, 2]
        ])
        assert.deepStrictEqual(yield* trainer.detokenize(run, ids), ["abcd", "ca"])
      })
    )
  }
)
