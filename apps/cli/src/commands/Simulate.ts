/** `gradus simulate M`: a whole run of a manifest with a simulated policy: every stage, every file, no language model, and what the real one would cost. */
import type { RunRecord } from "@gradus/domain/RunRecord"
import type { RunSummary } from "@gradus/domain/RunSummary"
import { writeJson } from "@gradus/experiment/AtomicFile"
import { readRun } from "@gradus/experiment/ReadRun"
import { finished, run } from "@gradus/experiment/Run"
import { load, type LoadedManifest } from "@gradus/manifest/service/Load"
import { type Asked, predict, type Prediction } from "@gradus/simulation/Prediction"
import { Cluster, Lengths, SimulationSettings } from "@gradus/simulation/SimulationSettings"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { Engines } from "../Engines.ts"
import { print, printJson, say } from "../Output.ts"
import { trainerPlace } from "../RunPlace.ts"
import { simulatedInput } from "../SimulatedRuns.ts"
import * as TerminalProgress from "../TerminalProgress.ts"
import { yamlFlag } from "../YamlFlag.ts"

export interface SimulateOptions {
  readonly manifest: string
  readonly set: ReadonlyArray<string>
  readonly runs: string
  /** What the simulation is told, as YAML or a file. */
  readonly policy: string | undefined
  readonly cluster: string | undefined
  /** The schedule alone: no texts, no scoring, no run directory. */
  readonly schedule: boolean
  readonly json: boolean
}

const NOTE =
  "a simulation: a latent-ability model answered and learnt, no language model was run; its accuracies say nothing about a real policy"

/** A cluster and the lengths of the real policy's texts. */
const ClusterFlag = Schema.Struct({
  ...Cluster.fields,
  /** Absent: the manifest's limit, so that every prediction is the most it can be. */
  completion_tokens: Schema.optionalKey(Lengths.fields.completion_tokens),
  prompt_tokens: Lengths.fields.prompt_tokens
})

const totalOf = (values: ReadonlyArray<number | null | undefined>): number =>
  values.reduce<number>((sum, value) => sum + (value ?? 0), 0)

/** Counts what a run asked for. Where a gate refills steps, every round of them counts. */
const askedBy = ({ evaluation, manifest, metrics, profile, refreshes }: RunRecord): Asked => {
  const { prompts_per_step, samples_per_prompt } = manifest.train
  const steps = metrics
    .filter((row) => row.stage === "train")
    .map((row) => {
      const {
        "completions/mean_length": mean,
        "curriculum/generated": generated,
        frac_reward_zero_std: silent
      } = row.metrics
      const weighed =
        mean == null || mean === 0
          ? prompts_per_step * samples_per_prompt
          : Math.round((row.metrics["tokens/generated"] ?? 0) / mean)
      return { completions: generated ?? weighed, trained: Math.round(weighed * (1 - (silent ?? 0))) }
    })
  const again = totalOf((refreshes ?? []).map((refresh) => refresh.metrics["refresh/questions"]))
  return {
    // what a file brought was not asked
    profile:
      (manifest.profile.from === undefined ? totalOf(profile.map(({ n }) => n)) : 0) + again * manifest.profile.samples,
    evaluate: totalOf(evaluation.map(({ samples }) => samples)),
    steps
  }
}

const count = (value: number): string => Math.round(value).toLocaleString("en")

interface Stated {
  readonly lengths: Lengths
  readonly cluster: Cluster | undefined
}

const predictionLines = (
  { completions, cost, tokens }: Prediction,
  { cluster, lengths }: Stated
): ReadonlyArray<string> => [
  `predicted, with ${count(lengths.completion_tokens)} tokens a completion and ${count(lengths.prompt_tokens)} a prompt:`,
  `  completions: ${count(completions.profile)} for the profile, ${count(completions.train)} in training, ${count(completions.evaluate)} in evaluations`,
  `  tokens: ${count(tokens.generated)} generated, ${count(tokens.trained)} trained on`,
  ...(cluster === undefined || cost === null
    ? ["  time: state a cluster with --cluster"]
    : [
        `  on ${cluster.gpus} GPUs at ${count(cluster.generate_tokens_per_gpu_second)} generated and ${count(cluster.train_tokens_per_gpu_second)} trained tokens a GPU and second, ${cluster.overhead_seconds} s of overhead a step:`,
        `  ${(cost.seconds / 3600).toFixed(1)} h, ${count(cost.gpu_hours)} GPU hours, ${Math.round(100 * cost.generating_share)} % of it generating`
      ])
]

const percent = (value: number | null): string => (value === null ? "unscored" : `${(100 * value).toFixed(1)} %`)

const show = Effect.fnUntraced(function* (summary: RunSummary, predicted: Prediction, stated: Stated) {
  yield* print(`SIMULATION of ${summary.run}: ${summary.steps} steps in ${summary.seconds.toFixed(1)} s`)
  for (const [set, { first, last }] of Object.entries(summary.eval))
    yield* print(`  ${set}, simulated: ${percent(first)} -> ${percent(last)}`)
  for (const line of predictionLines(predicted, stated)) yield* print(line)
  const path = yield* Path.Path
  yield* print(`  report: ${path.join(summary.dir, "report.html")}`)
})

/** What a simulation is told, and what its prediction states. */
const told = Effect.fnUntraced(function* (options: SimulateOptions, maxTokens: number) {
  const settings = yield* yamlFlag("policy", options.policy ?? "{}", SimulationSettings)
  const flag = options.cluster === undefined ? undefined : yield* yamlFlag("cluster", options.cluster, ClusterFlag)
  const { completion_tokens = maxTokens, prompt_tokens = 0, ...rates } = flag ?? {}
  const stated: Stated = {
    lengths: { completion_tokens, prompt_tokens },
    cluster: flag === undefined ? undefined : (rates as Cluster)
  }
  return { settings, stated }
})

const scheduleOnly = Effect.fnUntraced(function* (loaded: LoadedManifest, options: SimulateOptions) {
  const { settings, stated } = yield* told(options, loaded.manifest.sampling.max_tokens)
  const { simulateSchedule } = yield* Effect.promise(() => import("../SimulatedSchedule.ts"))
  const { asked, kept, notes, questions, rows } = yield* simulateSchedule(loaded.manifest, loaded.directory, settings)
  const predicted = predict(asked, stated.lengths, stated.cluster)
  for (const line of notes) yield* say(line)
  const steps = rows.map(({ ability, pass_rate, questions: asks, silent_share, step }) => ({
    step,
    questions: asks,
    pass_rate,
    silent_share,
    ability
  }))
  if (options.json)
    return yield* printJson({
      simulation: true,
      note: NOTE,
      notes,
      questions,
      kept,
      settings,
      stated,
      predicted,
      steps
    })
  const [first, last] = [rows[0], rows.at(-1)]
  yield* print(
    `SIMULATION of ${loaded.manifest.name}, the schedule alone: ${questions} questions, ${kept} kept, ${rows.length} steps`
  )
  yield* print(
    `  simulated pass rate of a step: ${percent(first?.pass_rate ?? null)} -> ${percent(last?.pass_rate ?? null)}`
  )
  yield* print(
    `  silent groups: ${percent(rows.reduce((sum, row) => sum + row.silent_share, 0) / Math.max(1, rows.length))}`
  )
  for (const line of predictionLines(predicted, stated)) yield* print(line)
})

const wholeRun = Effect.fnUntraced(function* (loaded: LoadedManifest, options: SimulateOptions) {
  const { settings, stated } = yield* told(options, loaded.manifest.sampling.max_tokens)
  const input = yield* simulatedInput(loaded, options.runs, settings)
  const { lease, simulation } = yield* Engines
  const engines = simulation(loaded.manifest, input.base, yield* trainerPlace(input.root), settings)
  const summary =
    (yield* finished(input)) ?? (yield* run(input, engines).pipe(Effect.provide([lease, TerminalProgress.layer])))
  const predicted = predict(askedBy(yield* readRun(input.root)), stated.lengths, stated.cluster)
  const result = { simulation: true, note: NOTE, ...summary, settings, stated, predicted }
  const path = yield* Path.Path
  yield* writeJson(path.join(input.root, "simulation.json"), { format: 1, ...result })
  yield* options.json ? printJson(result) : show(summary, predicted, stated)
})

/** Simulates a run to its end, or goes on with it, or its schedule alone, and predicts what the real one would cost. */
export const simulate = Effect.fn("gradus.simulate")(function* (options: SimulateOptions) {
  const loaded = yield* load(options.manifest, options.set)
  yield* say(NOTE)
  yield* options.schedule ? scheduleOnly(loaded, options) : wholeRun(loaded, options)
})
