/** One evaluation of a run (a set after a step) as an evaluation log of Inspect: its viewer and its dataframes then read our runs. */
import { ofText } from "@gradus/domain/Digest"
import type { Lineage } from "@gradus/domain/Lineage"
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import type { EvaluationReading, RolloutRow } from "@gradus/domain/RunRecord"
import type { InspectLog, InspectSample } from "./InspectSchema.ts"

/** What an evaluation is of, as its run's files say it. */
export interface Evaluated {
  /** Name of the run's directory. */
  readonly run: string
  readonly manifest: Manifest
  readonly lineage: Lineage
  readonly reading: EvaluationReading
  readonly rows: ReadonlyArray<RolloutRow>
  /** What a judge replied, by sample. */
  readonly replies: ReadonlyMap<string, string>
}

/** Scores of a completion, by the names of the rollouts' columns. */
const SCORES = ["value", "accuracy", "format"] as const

const stampOf = ({ created }: Lineage): string => created.replace(/\.\d+Z$/, "+00:00")
/** As short as Inspect's own, and the same each time that the evaluation is exported. */
const idOf = (...parts: ReadonlyArray<string | number>): string => ofText(parts.join("/")).slice(0, 22)
const usageOf = (tokens: number) => ({ output_tokens: tokens, total_tokens: tokens })

/** Names the file as Inspect names its own: moment, task, identity. */
export const inspectFile = ({ lineage, reading, run }: Evaluated): string =>
  `${stampOf(lineage).replaceAll(":", "-")}_${reading.set}-${reading.step}_${idOf(run, reading.set, reading.step)}.json`

const sampleOf = (row: RolloutRow, model: string, replies: Evaluated["replies"]): InspectSample => {
  const message = { role: "assistant", content: row.text, source: "generate" } as const
  const usage = usageOf(row.length)
  const { answer, domain, k, level, logprob, policy_version, sample_id, thinking, unscored } = row
  return {
    id: row.question_id,
    epoch: k + 1,
    input: row.question,
    target: row.gold,
    messages: [{ role: "user", content: row.question, source: "input" }, message],
    output: {
      model,
      choices: [{ message, stop_reason: row.finish_reason === "length" ? "max_tokens" : "stop" }],
      completion: row.text,
      usage
    },
    // what has no score is left out: it is not 0, and JSON has no NaN
    scores: Object.fromEntries(
      SCORES.flatMap((name) => {
        const value = row[name]
        return value === null ? [] : [[name, { value, answer, explanation: replies.get(sample_id) ?? null }] as const]
      })
    ),
    model_usage: { [model]: usage },
    metadata: { sample_id, level, domain, thinking, unscored, logprob, policy_version }
  }
}

/** Mean of what is scored and its standard error over questions, each of which was answered several times. */
const scoreOf = (name: (typeof SCORES)[number], rows: ReadonlyArray<RolloutRow>) => {
  const scored = rows.flatMap((row) => (row[name] === null ? [] : [{ question: row.question_id, value: row[name] }]))
  const mean = scored.reduce((sum, { value }) => sum + value, 0) / scored.length
  const clusters = [...Map.groupBy(scored, ({ question }) => question).values()]
  const spread = clusters.reduce((sum, own) => sum + own.reduce((part, { value }) => part + value - mean, 0) ** 2, 0)
  const count = clusters.length
  const stderr = count < 2 ? [] : [Math.sqrt((spread * count) / (count - 1)) / scored.length]
  return {
    name,
    scorer: name,
    scored_samples: scored.length,
    unscored_samples: rows.length - scored.length,
    params: {},
    metrics: {
      ...(scored.length === 0 ? {} : { mean: { name: "mean", value: mean } }),
      ...Object.fromEntries(stderr.map((value) => ["stderr", { name: "stderr", value }]))
    }
  }
}

/** Makes the log. Its sizes are the evaluation's: `rows` completions, `epochs` a question. */
export const inspectLog = (evaluated: Evaluated): InspectLog => {
  const { lineage, manifest, reading, replies, rows, run } = evaluated
  const sampling = manifest.evaluate.sampling ?? manifest.sampling
  const created = stampOf(lineage)
  const model = `gradus/${manifest.name}@${reading.step}`
  const tokens = usageOf(rows.reduce((sum, row) => sum + row.length, 0))
  const ids = [...new Set(rows.map((row) => row.question_id))]
  const generation = { temperature: sampling.temperature, max_tokens: sampling.max_tokens }
  return {
    version: 2,
    status: "success",
    eval: {
      eval_id: idOf(run, reading.set, reading.step),
      run_id: idOf(run),
      created,
      task: reading.set,
      task_id: idOf(run, reading.set),
      dataset: { name: reading.set, samples: ids.length, sample_ids: ids, shuffled: false },
      model,
      model_generate_config: generation,
      config: { epochs: manifest.evaluate.samples, epochs_reducer: ["mean"] },
      ...(lineage.commit === null
        ? {}
        : { revision: { type: "git", origin: "", commit: lineage.commit, dirty: lineage.dirty !== null } }),
      packages: {},
      tags: ["gradus"],
      metadata: {
        run,
        step: reading.step,
        manifest_digest: lineage.manifest_digest,
        dataset_digest: lineage.dataset_digest
      }
    },
    plan: { name: "plan", steps: [{ solver: "generate", params: {} }], config: generation },
    results: {
      total_samples: rows.length,
      completed_samples: rows.length,
      scores: SCORES.filter((name) => name === "value" || rows.some((row) => row[name] !== null)).map((name) =>
        scoreOf(name, rows)
      )
    },
    stats: { started_at: created, completed_at: created, model_usage: { [model]: tokens } },
    samples: rows.map((row) => sampleOf(row, model, replies))
  }
}
