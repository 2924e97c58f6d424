/** What a profile is a profile of: everything that its numbers depend on, and nothing that they do not (where servers are, how many, how fast). Pure. */
import type { EarlyRule } from "@gradus/curriculum/EarlyDecision"
import { PRIOR } from "@gradus/curriculum/Estimate"
import { canonicalJson, type Digest, ofJson, ofText } from "@gradus/domain/Digest"
import type { RewardsSpec } from "@gradus/domain/manifest/Rewards"
import type { Question } from "@gradus/domain/Question"
import * as Schema from "effect/Schema"
import { judgeIdentity } from "../JudgeIdentity.ts"

/** Raised by hand when the same inputs would give other numbers. */
const VERSION = 1
/** The same for what an early rule leaves out: profiles without one keep their names. */
const EARLY_VERSION = 2

/** `profile.json` of a profile's directory. */
export const ProfileIdentity = Schema.Struct({
  format: Schema.Literal(1),
  /** Of all that follows. */
  digest: Schema.String,
  identity: Schema.Record(Schema.String, Schema.Json),
  /** How the table's bounds are made: the Beta prior, and the level of each side. */
  bounds: Schema.optionalKey(Schema.Struct({ prior: Schema.Array(Schema.Finite), credible_level: Schema.Finite }))
})
export type ProfileIdentity = typeof ProfileIdentity.Type

export interface ProfileSampling {
  readonly api: "chat" | "completions"
  readonly model: string
  readonly system?: string | undefined
  readonly temperature: number
  readonly max_tokens: number
  /** Absent: servers draw as they like. */
  readonly seed?: number | undefined
  readonly samples: number
}

export interface ProfileRules {
  readonly rewards: RewardsSpec
  readonly pass_mark: number
  readonly credible_level: number
  readonly early?: EarlyRule | undefined
}

/** Digests the questions: ids, texts, truths, modes and domains, in their order. */
export const questionsDigest = (questions: ReadonlyArray<Question>): Digest =>
  ofText(
    questions
      .map(({ domain, gold, question, question_id, thinking }) =>
        JSON.stringify([question_id, question, gold, thinking, domain ?? null])
      )
      .join("\n")
  )

const rulesOf = ({ judge, ...rewards }: RewardsSpec) => ({ ...rewards, judge: judgeIdentity(judge) })

/** Makes the identity; `digest` is its content address. */
export const identityOf = (
  questions: ReadonlyArray<Question>,
  sampling: ProfileSampling,
  rules: ProfileRules
): ProfileIdentity => {
  const identity = {
    version: VERSION,
    questions: questionsDigest(questions),
    model: sampling.model,
    api: sampling.api,
    system: sampling.system ?? null,
    temperature: sampling.temperature,
    max_tokens: sampling.max_tokens,
    seed: sampling.seed ?? null,
    samples: sampling.samples,
    rewards: rulesOf(rules.rewards),
    pass_mark: rules.pass_mark,
    credible_level: rules.credible_level,
    decide_early: rules.early === undefined ? null : { ...rules.early, version: EARLY_VERSION }
  }
  // by way of JSON: keys that are absent and keys that are undefined are the same
  const plain = JSON.parse(canonicalJson(identity)) as ProfileIdentity["identity"]
  const { credible_level } = rules
  return { format: 1, digest: ofJson(plain), identity: plain, bounds: { prior: PRIOR, credible_level } }
}

export interface ChangedField {
  readonly field: string
  readonly stored: string
  readonly asked: string
}

const shown = (value: unknown): string => {
  const text = typeof value === "string" ? value : canonicalJson(value ?? null)
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

/** Lists the fields in which two identities differ, inner ones by their path. */
export const changedFields = (stored: unknown, asked: unknown, path = ""): ReadonlyArray<ChangedField> => {
  const isTree = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value)
  if (isTree(stored) && isTree(asked)) {
    const keys = [...new Set([...Object.keys(stored), ...Object.keys(asked)])].toSorted()
    return keys.flatMap((key) => changedFields(stored[key], asked[key], path === "" ? key : `${path}.${key}`))
  }
  return canonicalJson(stored ?? null) === canonicalJson(asked ?? null)
    ? []
    : [{ field: path, stored: shown(stored), asked: shown(asked) }]
}
