/** A plausible record of a sorting run: 25 steps, two evaluation sets, made from seeds so that it is the same everywhere. */
import { Manifest } from "@gradus/domain/manifest/Manifest"
import type { MetricsRow, TimingsRow } from "@gradus/domain/Metrics"
import type { PlannedBatch } from "@gradus/domain/Plan"
import type { ProfileRow } from "@gradus/domain/Profile"
import type { EvaluationReading, ExamplePair, RunRecord } from "@gradus/domain/RunRecord"
import type { HistoryRow } from "@gradus/domain/QuestionHistory"
import * as Seed from "@gradus/domain/Seed"
import * as Schema from "effect/Schema"

const STEPS = 25
const PROMPTS = 32
const COUNTS = [116, 172, 150, 192, 142, 113, 59, 43, 13]
const root = Seed.root(7)
const noise = (name: string, step: number): number => Seed.stream(Seed.child(root, name, step)).next() - 0.5
/** Six decimals: the fixture's bytes shall not depend on the last bit of a library's exponential. */
const rounded = (value: number): number => Math.round(value * 1e6) / 1e6
const rising = (from: number, to: number, step: number): number => to - (to - from) * Math.exp(-step / 8)

const manifest = Schema.decodeSync(Manifest)({
  version: 1,
  name: "quickstart",
  description:
    "Sorting letters with a tiny policy: shows that the whole loop works, not that a language model reasons.",
  seed: 7,
  questions: { kind: "sorting", train: 1000 },
  prompt: { template: "{mode}{question}", mode: { on: "<on>", off: "<off>" } },
  policy: {
    kind: "init",
    architecture: {
      hidden_size: 96,
      intermediate_size: 256,
      layers: 3,
      heads: 4,
      kv_heads: 4,
      head_dim: 24,
      max_positions: 64
    },
    tokenizer: { kind: "characters", tokens: ["<think>", "</think>", "<on>", "<off>"], characters: "abc=" }
  },
  sampling: { max_tokens: 40 },
  warmup: { steps: 400, examples_per_step: 64, learning_rate: { peak: 3e-3 } },
  train: { prompts_per_step: PROMPTS, samples_per_prompt: 16, learning_rate: { peak: 5e-4 } }
})

const profile: ReadonlyArray<ProfileRow> = COUNTS.flatMap((count, passed) =>
  Array.from({ length: count }, (_, index) => ({
    question_id: `train-${passed}-${index}`,
    domain: null,
    n: 8,
    scored: 8,
    passed,
    rate: passed / 8,
    low: passed / 10,
    high: Math.min(1, (passed + 2) / 10),
    truncated: 0,
    mean_tokens: rounded(23 - 0.4 * passed + 6 * noise(`tokens-${passed}`, index))
  }))
)

const plan = (): ReadonlyArray<PlannedBatch> => {
  const left = profile.filter(({ rate }) => rate !== null && rate < 0.75)
  const served = left.toSorted((a, b) => order(b) - order(a) || (a.question_id < b.question_id ? -1 : 1))
  return Array.from({ length: STEPS }, (_, index) => {
    const drawn = served.slice(index * PROMPTS, (index + 1) * PROMPTS)
    return {
      batch: index + 1,
      questions: drawn.map(({ question_id }) => question_id),
      targetMean: rounded(0.625 * (1 - index / (STEPS - 1))),
      achievedMean: rounded(drawn.reduce((sum, { passed }) => sum + passed / 8, 0) / drawn.length),
      fill: index % 3
    }
  })
}
const order = ({ passed, question_id }: ProfileRow): number => passed + 2.5 * noise(question_id, passed)

const trainMetrics = (step: number): MetricsRow => ({
  format: 1,
  stage: "train",
  step,
  metrics: {
    reward: rounded(rising(0.42, 0.8, step) + 0.08 * noise("reward", step)),
    reward_std: 0.31,
    frac_reward_zero_std: rounded(0.22 + 0.012 * step + 0.08 * noise("zero", step)),
    "completions/mean_length": rounded(21 + 0.12 * step + noise("length", step)),
    "completions/clipped_ratio": rounded(0.02 / step),
    "rewards/accuracy": rounded(rising(0.47, 0.82, step) + 0.08 * noise("accuracy", step)),
    "rewards/format": rounded(rising(0.82, 0.995, step)),
    entropy: rounded(0.3 / Math.sqrt(step) + 0.02 * noise("entropy", step)),
    loss: rounded(0.01 * noise("loss", step)),
    grad_norm: rounded(0.4 + 0.2 * noise("norm", step)),
    learning_rate: 5e-4,
    "clip_ratio/low_mean": 0,
    "clip_ratio/high_mean": 0,
    "sampler_gap/k1": rounded(1e-4 * noise("k1", step)),
    "sampler_gap/k3": rounded(1e-5 * (1 + noise("k3", step))),
    "sampler_gap/max_abs": rounded(4e-4 + 2e-4 * noise("max", step)),
    "sampler_gap/ess": rounded(0.9999 - 1e-4 * (0.5 + noise("ess", step))),
    "plan/target_mean": rounded(0.625 * (1 - (step - 1) / (STEPS - 1))),
    "plan/achieved_mean": rounded(0.6 * (1 - (step - 1) / (STEPS - 1))),
    "plan/fill": step % 3,
    group_pass_rate: rounded(rising(0.42, 0.8, step) - 0.1 + 0.06 * noise("group", step)),
    unscored: step === 9 ? 2 : 0,
    dropped_groups: 0,
    "tokens/generated": 11_000,
    "tokens/trained": 9_000,
    ...judgeMetrics(step)
  }
})

/** A judge that a calibration reads every fifth step. */
const judgeMetrics = (step: number): MetricsRow["metrics"] => ({
  "judge/mean": rounded(rising(0.45, 0.8, step) + 0.04 * noise("judge", step)),
  "judge/prompt_tokens": 51_200 + 20 * step,
  "judge/completion_tokens": 1_536,
  "judge/cost": rounded(0.01 + 0.001 * noise("cost", step)),
  "judge/unreadable": step % 4,
  "judge/failed": step === 9 ? 2 : 0,
  "judge/guarded": step % 7,
  "judge/audit/graded": 60,
  "judge/audit/right": Math.round(60 * rising(0.44, 0.79, step)),
  ...(step % 5 === 0
    ? {
        "judge/calibration/agreement": rounded(0.96 + 0.02 * noise("agreement", step)),
        "judge/calibration/false_accepts": rounded(0.03 + 0.01 * noise("accepts", step)),
        "judge/calibration/false_rejects": rounded(0.05 + 0.01 * noise("rejects", step)),
        "judge/calibration/drift": rounded(0.001 * step)
      }
    : {})
})

const warmupMetrics = (step: number): MetricsRow => ({
  format: 1,
  stage: "warmup",
  step,
  metrics: {
    loss: rounded(0.55 + 2.6 * Math.exp(-step / 40) + 0.05 * noise("warmup", step)),
    grad_norm: rounded(0.6 + 2 * Math.exp(-step / 60)),
    learning_rate: 3e-3
  }
})

const reading = (set: string, step: number, accuracy: number, levels: ReadonlyArray<string>): EvaluationReading => ({
  set,
  step,
  accuracy: rounded(accuracy),
  format: rounded(rising(0.82, 0.995, step)),
  samples: set === "heldout" ? 1024 : 512,
  unscored: step === 0 && set === "hard" ? 1 : 0,
  by_level: levels.map((level) => ({
    level,
    accuracy: rounded(
      Math.max(0, Math.min(1, accuracy + 0.2 * (0.5 - Number(level) / 16) + 0.06 * noise(level, step)))
    ),
    samples: 100
  }))
})

const HELDOUT = ["3", "4", "5", "6", "7", "8", "9", "10", "11", "12"]
const HARD = ["14", "16"]
const evaluation = (): ReadonlyArray<EvaluationReading> => [
  reading("heldout", 0, 0.354, HELDOUT),
  reading("hard", 0, 0.016, HARD),
  ...[10, 20].map((step) => reading("heldout", step, rising(0.354, 0.92, step), HELDOUT)),
  reading("heldout", STEPS, 0.887, HELDOUT),
  reading("hard", STEPS, 0.492, HARD)
]

const timings = (): ReadonlyArray<TimingsRow> => [
  { format: 1, attempt: 1, stage: "warmup", step: 0, seconds: { step: 11.3 } },
  { format: 1, attempt: 1, stage: "profile", step: 0, seconds: { step: 8.6 } },
  ...Array.from({ length: STEPS }, (_, index): TimingsRow => {
    const generate = rounded(0.42 + 0.05 * noise("generate", index))
    const update = rounded(0.55 + 0.06 * noise("update", index))
    return {
      format: 1,
      attempt: 1,
      stage: "train",
      step: index + 1,
      seconds: { generate, score: 0.004, update, record: 0.009, step: rounded(generate + update + 0.02) }
    }
  })
]

const example = (index: number): ExamplePair => ({
  set: index < 4 ? "heldout" : "hard",
  question_id: `${index < 4 ? "heldout" : "hard"}-${index}`,
  thinking: index === 2 ? "off" : "on",
  question: "kqbmtc=",
  gold: "bckmqt",
  first: { text: "<think>b c m k q t</think>bcmkqt", value: 0, components: { accuracy: 0, format: 1 } },
  last: { text: "<think>b c k m q t</think>bckmqt", value: 1, components: { accuracy: 1, format: 1 } }
})

/** What became of the plan's questions: each group's mean rises from its profile rate with the steps. */
const history = (): ReadonlyArray<HistoryRow> => {
  const rates = new Map(profile.map(({ question_id, rate }) => [question_id, rate ?? 0]))
  return plan().flatMap(({ batch, questions }) =>
    questions.map((question_id): HistoryRow => {
      const rate = rates.get(question_id) ?? 0
      const passed = Math.round(
        16 * Math.min(1, Math.max(0, rising(rate, 1, batch / 2) + 0.2 * noise(question_id, batch)))
      )
      return {
        question_id,
        domain: null,
        profile_rate: rate,
        profile_samples: 8,
        step: batch,
        visit: 1,
        samples: 16,
        scored: 16,
        group_mean: passed / 16,
        advantage: passed === 0 || passed === 16 ? 0 : 0.8,
        taught: passed === 0 || passed === 16 ? 0 : 16,
        policy_version: batch - 1
      }
    })
  )
}

const HISTORY = history()

/** Builds the record; parts can be replaced. */
export const quickstartRecord = (replaced: Partial<RunRecord> = {}): RunRecord => ({
  run: "quickstart--0f3a9c1b22",
  manifest,
  lineage: {
    format: 1,
    created: "2026-11-23T10:15:00.000Z",
    commit: "c6285fb0d8a1e4f7b3c2d1e0f9a8b7c6d5e4f3a2",
    dirty: null,
    locks: { "package-lock.json": "1f".repeat(32), "constraints.txt": "2e".repeat(32) },
    manifest_digest: "0f3a9c1b22".padEnd(64, "a"),
    dataset_digest: "5d".repeat(32),
    versions: { gradus: "0.1.0", node: "24.21.0", python: "3.11.2" },
    hardware: { cpus: 2, cpu_model: "Intel Xeon", memory_bytes: 8_589_934_592, platform: "linux-x64" },
    trainer: { torch: "2.13.0", device: "cpu", cpu_capability: "AVX512", determinism: "bitwise" },
    stages: { warmup: "bitwise", profile: "bitwise", train: "bitwise" }
  },
  metrics: [
    ...Array.from({ length: 40 }, (_, index) => warmupMetrics((index + 1) * 10)),
    ...Array.from({ length: STEPS }, (_, index) => trainMetrics(index + 1))
  ],
  timings: timings(),
  plan: plan(),
  profile,
  evaluation: evaluation(),
  examples: Array.from({ length: 6 }, (_, index) => example(index)),
  history: HISTORY,
  finished: true,
  ...replaced
})
