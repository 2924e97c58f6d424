/** The rows of a made run, from seeds: completions as hostile as they come, what a judge said of them, and the update that they were sent in. */
import type { PolicySpec } from "@gradus/domain/manifest/Policy"
import type { RolloutRow } from "@gradus/domain/RunRecord"
import type * as Seed from "@gradus/domain/Seed"
import type { UpdateBatch, UpdateRow } from "@gradus/domain/UpdateBatch"
import type { VerdictRecord } from "@gradus/domain/VerdictRecord"

export interface Sizes {
  readonly prompts: number
  readonly samples: number
}

/** What a page that put completions into markup would run, load, or turn round. */
export const HOSTILE = [
  "<img src=x onerror=\"document.title='owned'\">",
  "<script>document.title='owned'</script>",
  "<style>*{display:none}</style><a href=\"javascript:document.title='owned'\">x</a>",
  "\u202Eright to left\u2066 and <iframe src=https://example.org></iframe>",
  "<svg onload=\"document.title='owned'\"><use href=https://example.org/x.svg#a></svg>"
]

export const question = (step: number, i: number): string => `train/${step}-${i}`

/** Of the first question of each step the judge takes two wrong answers for right and a right one for wrong; elsewhere it says what a rule says. */
const MISJUDGED = [1, 0, 1]

/** Makes the completions of a step. */
export const rolloutsOf = (step: number, made: Sizes, stream: Seed.Stream): ReadonlyArray<RolloutRow> =>
  Array.from({ length: made.prompts * made.samples }, (_, at) => {
    const [i, k] = [Math.floor(at / made.samples), at % made.samples]
    const worth = stream.next()
    const misjudged = i === 0 ? MISJUDGED[k] : undefined
    const value = misjudged ?? (worth < 0.03 ? null : worth < 0.5 ? 0 : 1)
    const gold = 1 + stream.below(1000)
    const right = misjudged === undefined ? value === 1 : value === 0
    return {
      sample_id: `train/${step}/${question(step, i)}/${k}`,
      question_id: question(step, i),
      step,
      k,
      thinking: "on",
      level: null,
      domain: null,
      question: HOSTILE[i % HOSTILE.length] ?? "",
      gold: String(gold),
      text: `${HOSTILE[at % HOSTILE.length] ?? ""} ${stream.next()} and so on, as completions do. `.repeat(3),
      answer: String(right ? gold : gold + 1000),
      finish_reason: at === 0 || stream.next() < 0.05 ? "length" : "stop",
      length: 10 + stream.below(500),
      logprob: -stream.next() * 40,
      value,
      accuracy: value,
      format: value === null ? null : 1,
      unscored: value === null ? "judge_failed" : null,
      advantage: value === null ? null : value - 0.5,
      policy_version: step - 1
    }
  })

/** Makes what a panel of judges said of completions; on the first of those that could not be read they were split. */
export const verdictsOf = (rows: ReadonlyArray<RolloutRow>): ReadonlyArray<VerdictRecord> => {
  const split = rows.find(({ value }) => value === null)
  const replyTo = (row: RolloutRow): string => {
    if (row.value !== null) return `Judgement: ${row.value > 0 ? "yes" : "no"}`
    return row === split ? "Judgement: yes" : (HOSTILE[0] ?? "")
  }
  return rows.map((row) => ({
    sample_id: row.sample_id,
    verdict: row.value === null ? "unreadable" : row.value > 0 ? "yes" : "no",
    reply: replyTo(row),
    model: "judge",
    prompt_digest: "p",
    prompt_tokens: 100,
    completion_tokens: 4,
    ms: 20,
    cost: 0.001,
    cached: false,
    guard: null,
    failure: null
  }))
}

/** Every seventh token surprised the sampler. */
const logprobOf = (token: number): number => (token % 7 === 6 ? -4 : -0.01)

const PROMPT = [5, 6, 7]

/** One token a character where the policy says so, else tokens of five characters that only its tokenizer could spell. */
const tokensOf = ({ finish_reason, text }: RolloutRow, policy: PolicySpec): ReadonlyArray<number> => {
  if (policy.kind !== "init") return Array.from({ length: Math.ceil(text.length / 5) }, (_, i) => 1000 + i)
  const { characters, tokens } = policy.tokenizer
  const all = [...characters]
  const said = [...text].map((character) => 2 + tokens.length + all.indexOf(character))
  return finish_reason === "stop" ? [...said, 1] : said
}

const updateRow = (row: RolloutRow, policy: PolicySpec): UpdateRow => {
  const said = tokensOf(row, policy)
  return {
    sample_id: row.sample_id,
    group_id: `train/${row.step}/${row.question_id}`,
    token_ids: [...PROMPT, ...said],
    loss_mask: [...PROMPT.map(() => 0 as const), ...said.map(() => 1 as const)],
    rollout_logprob: [...PROMPT.map(() => 0), ...said.map((_, i) => logprobOf(i))],
    advantage: row.advantage ?? 0
  }
}

/** Makes the update of a step: what was scored was sent. */
export const updateOf = (step: number, rows: ReadonlyArray<RolloutRow>, policy: PolicySpec): UpdateBatch => {
  const sent = rows.filter(({ value }) => value !== null).map((row) => updateRow(row, policy))
  return {
    header: {
      run: "made",
      update: step,
      parent_version: step - 1,
      learning_rate: 1e-3,
      loss: { kind: "clipped", clip_low: 0.2, clip_high: 0.2, kl_coef: 0 },
      normaliser: "sequences",
      denominator: sent.length
    },
    rows: sent
  }
}
