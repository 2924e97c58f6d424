/** Votes: what each single call said, and the verdict that they make together. */
import type { Digest } from "@gradus/domain/Digest"
import type { JudgeSpec } from "@gradus/domain/manifest/Rewards"
import type { Verdict } from "@gradus/domain/Score"
import type { ChatReply } from "./ChatReply.ts"
import { majority, unanimous, type Word } from "./Consensus.ts"
import { costOf } from "./Price.ts"
import { readVerdict } from "./Verdict.ts"

/** One call's result; a failure has only a message. */
export interface CallResult {
  readonly outcome:
    | { readonly reply: ChatReply; readonly verdict: JudgeSpec["verdict"] }
    | { readonly _tag: string; readonly message: string }
  readonly ms: number
}

export type Vote = Omit<Verdict, "prompt_digest" | "votes" | "guard" | "cached">

/** Reads one call's result. `model` is what was asked for, where the reply does not say who answered. */
export const voteOf = (spec: JudgeSpec, model: string, { outcome, ms }: CallResult): Vote => {
  if ("_tag" in outcome) {
    return {
      verdict: "failed",
      reply: null,
      model,
      prompt_tokens: 0,
      completion_tokens: 0,
      ms,
      failure: outcome.message
    }
  }
  const { reply, verdict } = outcome
  const text = reply.choices[0].message.content ?? null
  const usage = {
    prompt_tokens: reply.usage?.prompt_tokens ?? 0,
    completion_tokens: reply.usage?.completion_tokens ?? 0
  }
  const cost = costOf(spec.prices, model, usage)
  return {
    verdict: text === null ? "unreadable" : readVerdict(text, verdict),
    reply: text,
    model: reply.model ?? model,
    ...usage,
    ms,
    ...(cost === undefined ? {} : { cost })
  }
}

const sum = (votes: ReadonlyArray<Vote>, of: (vote: Vote) => number): number =>
  votes.reduce((total, vote) => total + of(vote), 0)

/**
 * Puts the votes of all judges together: each judge's own calls must agree, and the majority of the judges decides. The reply, model
 * and failure are those of the first vote that says what the verdict says; tokens and money are summed, and `ms` is the slowest.
 */
export const decide = (seats: ReadonlyArray<ReadonlyArray<Vote>>, prompt: Digest): Verdict => {
  const all = seats.flat()
  const said: Word = majority(seats.map((votes) => unanimous(votes.map(({ verdict }) => verdict))))
  const speaker = all.find(({ verdict }) => verdict === said) ?? all[0]
  const failure = said === "failed" ? all.find((vote) => vote.failure !== undefined)?.failure : undefined
  const priced = all.some(({ cost }) => cost !== undefined)
  return {
    verdict: said,
    reply: speaker?.reply ?? null,
    model: speaker?.model ?? "",
    prompt_digest: prompt,
    prompt_tokens: sum(all, (vote) => vote.prompt_tokens),
    completion_tokens: sum(all, (vote) => vote.completion_tokens),
    ms: Math.max(0, ...all.map(({ ms }) => ms)),
    ...(failure === undefined ? {} : { failure }),
    ...(priced ? { cost: sum(all, ({ cost }) => cost ?? 0) } : {}),
    ...(all.length > 1 ? { votes: all.map(({ model, verdict, reply }) => ({ model, verdict, reply })) } : {})
  }
}
