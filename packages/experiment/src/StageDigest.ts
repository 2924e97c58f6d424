/** The identity of stage outputs: a digest of everything that they depend on. The version of a stage's code is raised by hand when its results change. */
import { type Digest, ofJson } from "@gradus/domain/Digest"
import type { Manifest } from "@gradus/domain/manifest/Manifest"

const VERSION = { warmup: 1, profile: 1 } as const

/** Where a trainer is does not change what it computes; how it computes does. */
const compute = (trainer: Manifest["trainer"]) =>
  trainer.kind === "embedded"
    ? trainer
    : { dtype: trainer.dtype, micro_batch_tokens: trainer.micro_batch_tokens, chunk_prompts: trainer.chunk_prompts }

/** Identifies the warm-up's policy: same questions, prompt, start, settings and seed give the same weights. */
export const warmupDigest = (manifest: Manifest, datasetDigest: string): Digest =>
  ofJson({
    stage: "warmup",
    stage_version: VERSION.warmup,
    seed: manifest.seed,
    questions: manifest.questions,
    dataset: datasetDigest,
    prompt: manifest.prompt,
    policy: manifest.policy,
    warmup: manifest.warmup ?? null,
    compute: compute(manifest.trainer)
  })

/** Identifies a profile: policy, questions, sampling and reward. */
export const profileDigest = (manifest: Manifest, datasetDigest: string, weights: string): Digest =>
  ofJson({
    stage: "profile",
    stage_version: VERSION.profile,
    seed: manifest.seed,
    dataset: datasetDigest,
    prompt: manifest.prompt,
    weights,
    sampling: manifest.sampling,
    rewards: {
      ...manifest.rewards,
      control: "none",
      judge: manifest.rewards.judge === undefined ? null : manifest.rewards.judge
    },
    profile: manifest.profile,
    compute: compute(manifest.trainer)
  })
