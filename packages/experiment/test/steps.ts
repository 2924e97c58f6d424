/** Groups as generation and scoring leave them, written short: a group is its values. */
import type { Completion } from "@gradus/domain/Completion"
import { Manifest } from "@gradus/domain/manifest/Manifest"
import type { Score } from "@gradus/domain/Score"
import * as Schema from "effect/Schema"
import type { ScoredGroup } from "../src/Sampling.ts"

/** A manifest with the defaults of the design; the rest is as small as it goes. */
export const manifest = (
  over: { readonly train?: object; readonly rewards?: object; readonly curriculum?: object } = {}
): Manifest =>
  Schema.decodeUnknownSync(Manifest)({
    version: 1,
    name: "steps",
    questions: { kind: "sorting" },
    prompt: { template: "{mode}{question}", mode: { on: "+", off: "-" } },
    policy: { kind: "huggingface", path: "policy" },
    sampling: { max_tokens: 8 },
    rewards: over.rewards ?? {},
    ...(over.curriculum === undefined ? {} : { curriculum: over.curriculum }),
    train: { prompts_per_step: 2, samples_per_prompt: 2, learning_rate: { peak: 1e-3 }, ...over.train }
  })

const score = (value: number | null): Score =>
  value === null
    ? { value, unscored: "judge_failed", answer: null, components: {} }
    : { value, answer: "a", components: { accuracy: value, format: 1 } }

/** A group of question `q`: completion k has k + 1 tokens, each with log-probability -(k + 1); its prompt is the tokens 7, 8. */
export const group = (
  q: string,
  values: ReadonlyArray<number | null>,
  change: Partial<Completion> = {}
): ScoredGroup => ({
  question: { question_id: q, question: "ba", gold: "ab", thinking: "on" },
  group: {
    group_id: `train/1/${q}`,
    prompt_token_ids: [7, 8],
    completions: values.map((_, k) => ({
      sample_id: `train/1/${q}/${k}`,
      group_id: `train/1/${q}`,
      k,
      text: "ab",
      token_ids: Array.from({ length: k + 1 }, (__, t) => 10 + t),
      logprobs: Array.from({ length: k + 1 }, () => -(k + 1)),
      finish_reason: "stop",
      ...change
    })),
    failures: [],
    policy_version: 0
  },
  scores: values.map(score)
})
