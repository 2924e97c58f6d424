/** Votes: what each single call said, and the verdict that they make together. */
import type { JudgeSpec, VerdictRule } from "@gradus/domain/manifest/Rewards"
import type { Verdict } from "@gradus/domain/Score"
import type { ChatReply } from "./ChatReply.ts"
import { majority, unanimous, type Word } from "./Consensus.ts"
import { costOf, type Usage } from "./Price.ts"
import { type Judged, promptDigest, truthFor } from "./Prompt.ts"
import { readVerdict } from "./Verdict.ts"

/** One call's result, with the tokens that it and those it was repeated for are charged with; a failure has only a message. */
export interface CallResult {
  readonly outcome: ChatReply | { readonly _tag: string; readonly message: string }
  readonly ms: number
  readonly usage: Usage
  /** The rule that it was asked to reply by. */
  readonly verdict: VerdictRule
}

export type Vote = Omit<Verdict, "votes" | "guard" | "cached">

/** Reads one call's result about what was judged. `model` is what was asked for, where the reply does not say who answered. */
export const voteOf = (spec: JudgeSpec, model: string, judged: Judged, result: CallResult): Vote => {
  const { outcome, ms, usage, verdict } = result
  const cost = costOf(spec.prices, model, usage)
  const facts = {
    prompt_digest: promptDigest(truthFor(spec, judged.gold), verdict),
    ...usage,
    ms,
    ...(cost === undefined ? {} : { cost })
  }
  if ("_tag" in outcome) {
    return {
      verdict: "failed",
      reply: null,
      model,
      ...facts,
      failure: outcome.message,
      failure_tag: outcome._tag
    }
  }
  const text = outcome.choices[0].message.content ?? null
  return {
    verdict: text === null ? "unreadable" : readVerdict(text, verdict),
    reply: text,
    model: outcome.model ?? model,
    ...facts
  }
}

const sum = (votes: ReadonlyArray<Vote>, of: (vote: Vote) => number): number =>
  votes.reduce((total, vote) => total + of(vote), 0)

/**
 * Puts the votes of all judges together: each judge's own calls must agree, and the majority of the judges decides. The reply, model,
 * prompt and failure are those of the first vote that says what the verdict says; tokens and money are summed, and `ms` is the slowest.
 */
export const decide = (seats: ReadonlyArray<ReadonlyArray<Vote>>): Verdict => {
  const all = seats.flat()
  const said: Word = majority(seats.map((votes) => unanimous(votes.map(({ verdict }) => verdict))))
  const speaker = all.find(({ verdict }) => verdict === said) ?? all[0]
  const failed = said === "failed" ? all.find((vote) => vote.failure !== undefined) : undefined
  const priced = all.some(({ cost }) => cost !== undefined)
  return {
    verdict: said,
    reply: speaker?.reply ?? null,
    model: speaker?.model ?? "",
    prompt_digest: speaker?.prompt_digest ?? "",
    prompt_tokens: sum(all, (vote) => vote.prompt_tokens),
    completion_tokens: sum(all, (vote) => vote.completion_tokens),
    ms: Math.max(0, ...all.map(({ ms }) => ms)),
    ...(failed?.failure === undefined ? {} : { failure: failed.failure }),
    ...(failed?.failure_tag === undefined ? {} : { failure_tag: failed.failure_tag }),
    ...(priced ? { cost: sum(all, ({ cost }) => cost ?? 0) } : {}),
    ...(all.length > 1 ? { votes: all.map(({ model, verdict, reply }) => ({ model, verdict, reply })) } : {})
  }
}
