/** The identity of stage outputs: a digest of everything that they depend on. The version of a stage's code is raised by hand when its results change. */
import { type Digest, ofJson } from "@gradus/domain/Digest"
import type { RatesSpec } from "@gradus/domain/manifest/Curriculum"
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import { judgeIdentity } from "./JudgeIdentity.ts"

const VERSION = { warmup: 1, profile: 1 } as const
/** Version 1 of these knew the path alone. */
const WARMUP_FROM_FILES = 2

/** Versions of all stages that a run's results depend on. */
export const stageVersions = { ...VERSION, filter: 1, plan: 1, train: 1, evaluate: 1 } as const

/** How long a call may take changes nothing that it computes. */
const withoutDeadline = <A extends { readonly deadline?: number }>(trainer: A) => {
  const { deadline: _, ...rest } = trainer
  return rest
}

/** Where a trainer is does not change what it computes; how it computes does. */
const compute = (trainer: Manifest["trainer"]) =>
  trainer.kind !== "service"
    ? withoutDeadline(trainer)
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

/**
 * The same, for a policy that lies in files: a path says nothing about what is in them. Plans of sweeps name warm-ups by `warmupDigest` alone, since a
 * plan is made where no model need be; what runs share is kept under this.
 */
export const warmupDigestOf = (warmup: Digest, policyContent: string | undefined): Digest =>
  policyContent === undefined
    ? warmup
    : ofJson({ stage: "warmup", stage_version: WARMUP_FROM_FILES, warmup, policy_content: policyContent })

/** Identifies a profile: policy, questions, sampling and reward; a judge by what decides its verdicts. */
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
      judge: judgeIdentity(manifest.rewards.judge)
    },
    profile: manifest.profile,
    compute: compute(manifest.trainer),
    // who samples rounds in its own way; absent for the trainer's own generator, whose profiles keep their names
    ...(manifest.generator?.kind === "vllm" ? { generator: "vllm" } : {})
  })

/** Identifies pass rates that a file brings: by what is in it and how it is read, not by its name. Policy and sampling have no part in them. */
export const ratesDigest = (spec: RatesSpec, credibleLevel: number, dataset: string, content: Digest): Digest => {
  const { file: _, ...reading } = spec
  return ofJson({
    stage: "profile",
    stage_version: VERSION.profile,
    dataset,
    rates: { ...reading, content },
    credible_level: credibleLevel
  })
}
