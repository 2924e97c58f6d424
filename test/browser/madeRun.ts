/** A run directory of any size, made from seeds with the schemas that real runs are written with. It may go on, step by step, as a run does. */
import { encodeRows } from "@gradus/datasets/Parquet"
import { encodePlan } from "@gradus/datasets/PlanTable"
import type { JournalEvent } from "@gradus/domain/Journal"
import { Manifest } from "@gradus/domain/manifest/Manifest"
import type { PlannedBatch } from "@gradus/domain/Plan"
import { ProfileRow } from "@gradus/domain/Profile"
import { RolloutRow } from "@gradus/domain/RunRecord"
import * as Seed from "@gradus/domain/Seed"
import { VerdictRecord } from "@gradus/domain/VerdictRecord"
import { encodeUpdate } from "@gradus/trainer-client/UpdateCodec"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { HOSTILE, question, rolloutsOf, type Sizes, updateOf, verdictsOf } from "./madeRows.ts"

export interface MadeRun extends Sizes {
  readonly steps: number
  /** Its policy has one token a character, which the manifest spells; else only its tokenizer could. */
  readonly characters?: boolean
  /** Its batcher learns from outcomes: only its steps say what was asked, and there is no plan. */
  readonly learns?: boolean
}

/** A run that goes on. */
export interface OpenRun {
  readonly run: string
  /** Does the next step. */
  readonly step: () => Promise<void>
  /** Finishes it; its owner leaves. */
  readonly finish: () => void
  /** Its owner leaves in order, before the end. */
  readonly leave: () => void
}

/** Of so many steps there are verdicts and updates: those of all would be most of a large run's bytes, and no page reads them together. */
const LOOKED_AT = 3

const all = new Set(`${HOSTILE.join("")} and so on, as completions do. 0123456789.-e`)
const architecture = { hidden_size: 8, intermediate_size: 8, layers: 1, heads: 1, kv_heads: 1, head_dim: 8 }

const seat = (model: string) => ({ endpoint: "http://127.0.0.1:9/v1", model })
const PANEL = [seat("second"), seat("third")]

const manifestOf = (seed: number, { characters, learns, prompts, samples, steps }: MadeRun) =>
  Schema.decodeSync(Manifest)({
    version: 1,
    name: "made",
    seed,
    questions: { kind: "sorting", train: steps * prompts },
    prompt: { template: "{mode}{question}", mode: { on: "+", off: "-" } },
    policy:
      characters === true
        ? {
            kind: "init",
            architecture: { ...architecture, max_positions: 512 },
            tokenizer: { kind: "characters", tokens: ["<think>", "</think>"], characters: [...all].join("") }
          }
        : { kind: "huggingface", path: "policy" },
    ...(learns === true ? { curriculum: { batcher: "adarft" } } : {}),
    sampling: { max_tokens: 40 },
    rewards: { accuracy: "judge", judge: { ...seat("judge"), verdict: "Judgement_yes_no_last", panel: PANEL } },
    train: { steps, prompts_per_step: prompts, samples_per_prompt: samples, learning_rate: { peak: 1e-3 } }
  })

const digest = "d".repeat(64)
const lineage = {
  format: 1,
  created: "2026-11-25T00:00:00.000Z",
  commit: null,
  dirty: null,
  locks: {},
  manifest_digest: digest,
  dataset_digest: digest,
  versions: {},
  hardware: { cpus: 2, cpu_model: "made", memory_bytes: 1, platform: "made" },
  trainer: { torch: "none", device: "simulated", cpu_capability: "none", determinism: "bitwise" },
  stages: {}
}

const batchOf = (step: number, { prompts, steps }: MadeRun): PlannedBatch => ({
  batch: step,
  questions: Array.from({ length: prompts }, (_, i) => question(step, i)),
  targetMean: 0.6 - (0.5 * (step - 1)) / steps,
  achievedMean: 0.3,
  fill: 0
})

const counts = <Word extends string>(words: ReadonlyArray<Word>, word: Word): number =>
  words.filter((one) => one === word).length

const metricsOf = (rows: ReadonlyArray<RolloutRow>, verdicts: ReadonlyArray<VerdictRecord>) => {
  const said = verdicts.map(({ verdict }) => verdict)
  const judge = { "judge/yes": counts(said, "yes"), "judge/no": counts(said, "no") }
  return {
    reward: rows.reduce((sum, { value }) => sum + (value ?? 0), 0) / rows.length,
    reward_std: 0.4,
    frac_reward_zero_std: 0.1,
    "completions/mean_length": 200,
    ...(said.length === 0 ? {} : { ...judge, "judge/unreadable": counts(said, "unreadable"), "judge/failed": 0 })
  }
}

const profileOf = (made: MadeRun, stream: Seed.Stream): ReadonlyArray<ProfileRow> =>
  Array.from({ length: made.steps * made.prompts }, (_, at) => {
    const passed = stream.below(6)
    const own = { n: 8, scored: 8, passed, rate: passed / 8, low: 0, high: 1, truncated: 0, mean_tokens: 9 }
    const id = question(1 + Math.floor(at / made.prompts), at % made.prompts)
    return { question_id: id, domain: null, ...own }
  })

/** Begins a run below a directory of runs: what is there before its first step. */
export const beginRun = async (runs: string, seed: number, made: MadeRun): Promise<OpenRun> => {
  const run = `made--${String(seed).padStart(12, "0")}`
  const at = (path: string): string => {
    const file = join(runs, run, path)
    mkdirSync(dirname(file), { recursive: true })
    return file
  }
  const write = (path: string, data: string | Uint8Array): void => writeFileSync(at(path), data)
  const append = (path: string, row: unknown): void => appendFileSync(at(path), `${JSON.stringify(row)}\n`)
  const commit = (event: JournalEvent): void => append("events.ndjson", event)
  const manifest = manifestOf(seed, made)
  const owner = { format: 1, number: 1, store: "local", owner: "made" }
  write("manifest.yaml", "version: 1\n")
  write("resolved.json", JSON.stringify({ format: 1, digest, base: ".", manifest, provenance: [] }))
  write("lineage.json", JSON.stringify(lineage))
  write(".owner-1/owner.json", JSON.stringify(owner))
  commit({ _tag: "run_started", format: 1, attempt: 1, manifest_digest: digest })
  const stream = Seed.stream(Seed.child(Seed.root(seed), "made"))
  write("profile.parquet", await Effect.runPromise(encodeRows(ProfileRow, profileOf(made, stream))))
  write("timings.ndjson", "")
  const plan = Array.from({ length: made.steps }, (_, i) => batchOf(i + 1, made))
  if (made.learns !== true) write("plan.parquet", await Effect.runPromise(encodePlan(plan)))
  let step = 0
  const leave = (): void => rmSync(at(".owner-1/owner.json"))
  return {
    run,
    step: async () => {
      step += 1
      const rows = rolloutsOf(step, made, stream)
      const verdicts = step <= LOOKED_AT ? verdictsOf(rows) : []
      const folder = `steps/${String(step).padStart(6, "0")}`
      write(`${folder}/rollouts.parquet`, await Effect.runPromise(encodeRows(RolloutRow, rows)))
      if (step <= LOOKED_AT) {
        write(`${folder}/rollouts.verdicts.parquet`, await Effect.runPromise(encodeRows(VerdictRecord, verdicts)))
        write(`${folder}/update_0.arrow`, encodeUpdate(updateOf(step, rows, manifest.policy)).bytes)
      }
      const metrics = metricsOf(rows, verdicts)
      commit({ _tag: "step_generated", step, updates: [], batch: batchOf(step, made), metrics })
      append("metrics.ndjson", { format: 1, stage: "train", step, metrics })
      commit({ _tag: "step_finished", step, version: step })
    },
    finish: () => {
      commit({ _tag: "run_finished", step })
      leave()
    },
    leave
  }
}

/** Makes a finished run and returns its name. */
export const makeRun = async (runs: string, seed: number, made: MadeRun): Promise<string> => {
  const open = await beginRun(runs, seed, made)
  for (let i = 0; i < made.steps; i++) await open.step()
  open.finish()
  return open.run
}
