/** What the values of `rewards:` mean together. */
import { PATIENCE_SECONDS } from "@gradus/domain/manifest/Rewards"
import { type Rule, when } from "./internal/Rule.ts"
import type { Path } from "./Tree.ts"

const judge: Rule = ({ rewards }) => [
  ...when(
    rewards.judge !== undefined && rewards.accuracy !== "judge" && rewards.cascade !== "judge",
    ["rewards", "judge"],
    "has no effect: nothing is judged without accuracy: judge or cascade: judge"
  ),
  ...when(
    rewards.judge?.outage === "unscored" && rewards.judge.patience !== PATIENCE_SECONDS,
    ["rewards", "judge", "patience"],
    "has no effect with outage: unscored"
  ),
  ...when(
    rewards.accuracy === "judge" && rewards.judge === undefined,
    ["rewards", "judge"],
    "is required by accuracy: judge"
  ),
  ...when(
    rewards.cascade === "judge" && rewards.judge === undefined,
    ["rewards", "judge"],
    "is required by cascade: judge"
  ),
  ...when(
    rewards.cascade === "judge" && (rewards.accuracy === "judge" || rewards.accuracy === "none"),
    ["rewards", "cascade"],
    `has no rule to come after: accuracy is ${rewards.accuracy}`
  )
]

/** The parts of the value, and how length counts. */
const composition: Rule = ({ rewards, sampling }) => [
  ...when(
    rewards.truncated === "soft" && rewards.overlong === undefined,
    ["rewards", "overlong"],
    "is required by truncated: soft"
  ),
  ...when(
    rewards.truncated !== "soft" && rewards.overlong !== undefined,
    ["rewards", "overlong"],
    `has no effect with truncated: ${rewards.truncated}`
  ),
  ...when(
    rewards.overlong !== undefined && rewards.overlong.buffer > rewards.overlong.max_tokens,
    ["rewards", "overlong", "buffer"],
    `must be at most max_tokens, ${rewards.overlong?.max_tokens}`
  ),
  ...when(
    rewards.overlong !== undefined && rewards.overlong.max_tokens > sampling.max_tokens,
    ["rewards", "overlong", "max_tokens"],
    `must be at most sampling.max_tokens, ${sampling.max_tokens}`
  ),
  ...when(
    rewards.weights !== undefined && rewards.compose !== "sum",
    ["rewards", "weights"],
    `has no effect with compose: ${rewards.compose}`
  )
]

/** What the format rule alone reads. Where the template has opened the thought, the answer rule reads that too, unless it takes the whole text. */
const formatOptions: Rule = ({ rewards }) => {
  const { answer, format, format_options: options } = rewards
  if (format !== "none" || options === undefined) return []
  const at = (...rest: Path): Path => ["rewards", "format_options", ...rest]
  if (!options.think_opened_by_template || answer === "whole")
    return when(true, at(), "has no effect with format: none")
  return (["think_tag", "answer_tag"] as const).flatMap((name) =>
    when(options[name] !== (name === "think_tag" ? "think" : "answer"), at(name), "has no effect with format: none")
  )
}

/** Money is counted by the price table: a budget needs a price of every model that is asked. */
const judgePrices: Rule = ({ rewards }) => {
  const { judge } = rewards
  if (judge?.budget === undefined) return []
  const models = new Set([judge.model, ...judge.panel.map(({ model }) => model)])
  return [...models].flatMap((model) =>
    when(
      !Object.hasOwn(judge.prices, model),
      ["rewards", "judge", "prices"],
      `must have a price of ${model}: budget counts by it`
    )
  )
}

/** What concerns money has a meaning only where money is counted. */
const judgeBudget: Rule = ({ rewards }) => {
  const { judge } = rewards
  if (judge === undefined || judge.budget !== undefined) return []
  const at = (key: string): Path => ["rewards", "judge", key]
  return [
    ...when(judge.spent === "pause", at("spent"), "has no effect without a budget"),
    ...when(judge.account !== undefined, at("account"), "has no effect without a budget")
  ]
}

export const rewardRules: ReadonlyArray<Rule> = [judge, composition, formatOptions, judgePrices, judgeBudget]
