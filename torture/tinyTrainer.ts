/** A real trainer with a policy of a few thousand parameters, in a directory of its own, and updates for it that depend on their number alone. */
import * as Seed from "@gradus/domain/Seed"
import type { UpdateRow } from "@gradus/domain/UpdateBatch"
import { tinyPolicy } from "@gradus/testing/TinyPolicy"
import { trainerFolder, trainerPython } from "@gradus/testing/TrainerPython"
import * as EmbeddedTrainer from "@gradus/trainer-client/EmbeddedTrainer"
import type { RunSpec } from "@gradus/trainer-client/RunSpec"
import { TrainerAddress } from "@gradus/trainer-client/TrainerAddress"
import { encodeUpdate } from "@gradus/trainer-client/UpdateCodec"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"

export const RUN = "tortured"
export const token = Redacted.make("torture")
const ROWS = 3
const TOKENS = 6

export const spec: RunSpec = { ...tinyPolicy(3), dtype: "float32" }

const rowsOf = (update: number, seed: Seed.Seed): ReadonlyArray<UpdateRow> =>
  Array.from({ length: ROWS }, (_, i) => {
    const stream = Seed.stream(Seed.child(seed, update, i))
    return {
      sample_id: `train/${update}/q/${i}`,
      group_id: `train/${update}/q`,
      token_ids: Array.from({ length: TOKENS }, () => stream.below(6)),
      loss_mask: Array.from({ length: TOKENS }, (__, t) => (t < 2 ? 0 : 1)),
      rollout_logprob: Array.from({ length: TOKENS }, (__, t) => (t < 2 ? 0 : -1.8)),
      advantage: 2 * stream.next() - 1
    }
  })

/** Makes update number `update` of a run whose policy has a version. */
export const updateOf = (update: number, version: number, seed: Seed.Seed) =>
  encodeUpdate({
    header: {
      run: RUN,
      update,
      parent_version: version,
      learning_rate: 0.001,
      loss: { kind: "clipped", clip_low: 0.2, clip_high: 0.28, kl_coef: 0 },
      normaliser: "tokens",
      denominator: ROWS * (TOKENS - 2)
    },
    rows: rowsOf(update, seed)
  })

/** Starts a trainer for as long as the scope. `ledger` reads number and digest of every applied update, in the order of their numbers, from its file. */
export const tinyTrainer = Effect.gen(function* () {
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "gradus-trainer-"))),
    (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
  )
  const services = yield* Layer.build(
    EmbeddedTrainer.layer({
      python: trainerPython(),
      state: join(directory, "state"),
      artifacts: join(directory, "artifacts"),
      threads: 1,
      device: "cpu",
      token,
      environment: { PYTHONPATH: join(trainerFolder, "src") }
    }).pipe(Layer.provide(NodeServices.layer))
  )
  const ledger = (): ReadonlyArray<string> => {
    const database = new DatabaseSync(join(directory, "state/ledger.sqlite"), { readOnly: true })
    const rows = database.prepare("select number, digest from applied where run = ? order by number").all(RUN)
    database.close()
    return rows.map((row) => `${row["number"]} ${row["digest"]}`)
  }
  const { pid, url } = Context.get(services, TrainerAddress)
  return { url, pid, ledger }
})
