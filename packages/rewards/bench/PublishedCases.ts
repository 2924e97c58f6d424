/** Published cases of other projects (format, extraction, verdicts, fences, retries) beside what we say of each, in the case's own words. */
import { type AnswerRule, FormatRule } from "@gradus/domain/manifest/Rewards"
import * as Schema from "effect/Schema"
import { compareAnswers } from "../src/accuracy/Compared.ts"
import { takeAnswer, takeAnswers } from "../src/Answer.ts"
import { FORMAT_DEFAULTS, formatScore } from "../src/Format.ts"
import { parseRow } from "../src/judge/ParseRows.ts"
import { neutraliseDelimiters } from "../src/judge/Prompt.ts"
import { VERDICT_RULES } from "../src/judge/Verdict.ts"
import { isTransientStatus } from "../src/service/JudgeFailure.ts"

export const PublishedCase = Schema.Struct({
  id: Schema.String,
  mode: Schema.String,
  completion: Schema.String,
  expected: Schema.Json,
  prompt_suffix: Schema.optionalKey(Schema.String),
  tags: Schema.optionalKey(Schema.Struct({ think_tag: Schema.String, answer_tag: Schema.String })),
  choices: Schema.optionalKey(Schema.Array(Schema.String)),
  criteria: Schema.optionalKey(Schema.Record(Schema.String, Schema.Finite)),
  partial_credit: Schema.optionalKey(Schema.Boolean)
})
export type PublishedCase = typeof PublishedCase.Type

/** What we say, and what the case expects in the same words; undefined for a mode that we do not know. */
export type Compared = readonly [ours: unknown, expected: unknown] | undefined

/** `after_think` there is what we call `after_think_required`; every other rule has our name. */
const ruleOf = (mode: string): AnswerRule => {
  const name = mode.slice(mode.indexOf(":") + 1)
  return (name === "after_think" ? "after_think_required" : name) as AnswerRule
}

const Matched = Schema.Struct({
  target: Schema.Union([Schema.String, Schema.Array(Schema.String)]),
  match: Schema.Boolean
})

const extraction = ({ completion, expected, mode }: PublishedCase): Compared => {
  const rule = ruleOf(mode)
  if (!Schema.is(Matched)(expected)) {
    const answer = takeAnswer(rule, completion)
    // "" there says what null says here: there is no answer
    return [(typeof expected === "number" && answer !== null ? Number(answer) : answer) ?? "", expected ?? ""]
  }
  const how = rule.startsWith("answer_") ? "exact" : "numeric"
  const match = [expected.target].flat().some((target) => {
    const accuracy = compareAnswers(how, takeAnswers(rule, completion), target)
    return accuracy.kind === "scored" && accuracy.value === 1
  })
  return [match, expected.match]
}

const format = ({ completion, expected, mode, prompt_suffix, tags }: PublishedCase): Compared => {
  const rule = Schema.decodeUnknownSync(FormatRule)(mode.slice("format:".length))
  const think_opened_by_template = prompt_suffix?.endsWith("<think>") ?? false
  return [formatScore(rule, completion, "on", { ...FORMAT_DEFAULTS, think_opened_by_template, ...tags }), expected]
}

/** The cases say UNPARSEABLE or null for what cannot be read; choices are given by their value there. */
const verdict = ({ id, completion, expected, mode, ...options }: PublishedCase): Compared => {
  const rule = VERDICT_RULES.find((name) => name === mode.slice("verdict:".length))
  if (rule === undefined) return undefined
  const { choices, criteria, partial_credit } = options
  const read = parseRow(rule, {
    id,
    reply: completion,
    ...(choices === undefined ? {} : { choices }),
    ...(criteria === undefined ? {} : { criteria }),
    ...(partial_credit === undefined ? {} : { partial_credit })
  })
  if (expected === "UNPARSEABLE" || expected === null) return [read.verdict, "unreadable"]
  return [read.verdict, rule === "choice_last" && expected === 1 ? "A" : expected]
}

const Http = Schema.fromJsonString(Schema.Struct({ http: Schema.Int }))

/** Compares one case. */
export const compareCase = (row: PublishedCase): Compared => {
  const kind = row.mode.split(":", 1)[0]
  if (kind === "extract" || kind === "parse") return extraction(row)
  if (kind === "format") return format(row)
  if (kind === "verdict") return verdict(row)
  if (kind === "sanitize") return [neutraliseDelimiters(row.completion), row.expected]
  if (row.mode !== "judge:http_policy") return undefined
  return [isTransientStatus(Schema.decodeSync(Http)(row.completion).http) ? "retry" : "no retry", row.expected]
}
