/** What judgements cost, by the manifest's price table (money for a million tokens). */
import type { JudgeSpec, Price } from "@gradus/domain/manifest/Rewards"
import type { ChatReply } from "./ChatReply.ts"

export interface Usage {
  readonly prompt_tokens: number
  readonly completion_tokens: number
}

/** What costs nothing. */
export const FREE: Usage = { prompt_tokens: 0, completion_tokens: 0 }

export const addUsage = (one: Usage, other: Usage): Usage => ({
  prompt_tokens: one.prompt_tokens + other.prompt_tokens,
  completion_tokens: one.completion_tokens + other.completion_tokens
})

const MILLION = 1_000_000

/** Computes the money for a call; undefined where the model has no price. */
export const costOf = (prices: JudgeSpec["prices"], model: string, usage: Usage): number | undefined => {
  const price: Price | undefined = Object.hasOwn(prices, model) ? prices[model] : undefined
  if (price === undefined) return undefined
  return (usage.prompt_tokens * price.prompt + usage.completion_tokens * price.completion) / MILLION
}

/** Characters of a token at least, so that the estimate is high rather than low: other scripts have more tokens a character. */
const CHARACTERS_PER_TOKEN = 3

/** Estimates the tokens of a call before it is made, from above: what it may say is its whole limit. */
export const estimateUsage = (messages: ReadonlyArray<{ readonly content: string }>, maxTokens: number): Usage => ({
  prompt_tokens: messages.reduce(
    (sum, { content }) => sum + Math.ceil(new TextEncoder().encode(content).length / CHARACTERS_PER_TOKEN) + 8,
    0
  ),
  completion_tokens: maxTokens
})

/** The tokens that a reply says it took; what it does not say counts as estimated, since a provider that is silent bills as well. */
export const usageOf = ({ usage }: ChatReply, estimate: Usage): Usage => ({
  prompt_tokens: usage?.prompt_tokens ?? estimate.prompt_tokens,
  completion_tokens: usage?.completion_tokens ?? estimate.completion_tokens
})
