/** Published sets of answers as the benches read them, and what we say of their labels. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { AnswerRule } from "@gradus/domain/manifest/Rewards"
import * as Schema from "effect/Schema"
import { math } from "../src/accuracy/Math.ts"
import { takeAnswer } from "../src/Answer.ts"

export const Pair = Schema.Struct({
  id: Schema.String,
  gold: Schema.Union([Schema.String, Schema.Array(Schema.String)]),
  prediction: Schema.String,
  expected_equal: Schema.Boolean,
  label_class: Schema.String,
  label_note: Schema.optionalKey(Schema.String),
  prediction_kind: Schema.String
})
export type Pair = typeof Pair.Type
export const Completion = Schema.Struct({
  id: Schema.String,
  gold: Schema.String,
  completion: Schema.String,
  expected_correct: Schema.Boolean
})
export const Attack = Schema.Struct({
  id: Schema.String,
  family: Schema.String,
  target: Schema.String,
  text: Schema.String
})
export const Instructed = Schema.Struct({
  key: Schema.Int,
  instruction_id_list: Schema.Array(Schema.String),
  kwargs: Schema.Array(Schema.Record(Schema.String, Schema.Unknown))
})

const folder = process.argv[2] ?? join(import.meta.dirname, "../../../../shared/data")
export const rowsOf = <S extends Schema.ConstraintDecoder<unknown>>(path: string, row: S): ReadonlyArray<S["Type"]> => {
  const decode = Schema.decodeUnknownSync(Schema.fromJsonString(row))
  return readFileSync(join(folder, path), "utf8")
    .trim()
    .split("\n")
    .map((line) => decode(line))
}

/** Which rule takes the answer of a kind of prediction. */
const RULES: Readonly<Record<string, AnswerRule>> = {
  answer: "whole",
  completion_boxed: "boxed_last",
  completion_answer_tag: "xml_answer_last"
}
export const ruleOf = (pair: Pair): AnswerRule => RULES[pair.prediction_kind] ?? "math_last"
export const goldOf = ({ gold }: Pair): string => (typeof gold === "string" ? gold : JSON.stringify(gold))

/** Our choice where projects differ, by the note of the label; docs/rewards-equivalence.md says why. */
const CHOICES: ReadonlyArray<readonly [RegExp, string]> = [
  [/numeric tolerance|rounding/, "strict-rounding: a decimal of fewer than six significant digits is no rounding"],
  [/set vs relation/, "set-is-relation: an interval and the inequality that describes it are one answer"],
  [
    /answer marker|delimiter/,
    "marker-by-rule: whether an answer must be marked is the answer rule's business (boxed_last asks for it)"
  ],
  [/multi-line/, "line-breaks-are-space: a formula may be written over several lines"],
  [/chained equality/, "chains-must-hold: an answer that says 3 + 3 = 2 is no answer"],
  [/tuple vs set/, "tuple-is-ordered: a tuple is neither a set nor a list"]
]
/** Labels that we argue with. */
const CONTESTED: Readonly<Record<string, string>> = {
  "eq-0032": "label contested: the formula says 1/2 = 10/9",
  "eq-0094": "label contested: the chain says 7 = 11",
  "eq-0253": "label contested: 1 - 1/e is not 1 + 1/e"
}
export const reasonOf = ({ id, label_class, label_note = "" }: Pair): string =>
  CONTESTED[id] ??
  (label_class === "math"
    ? "MISS"
    : (CHOICES.find(([note]) => note.test(label_note))?.[1] ?? `unexplained (${label_note})`))

export const quantile = (sorted: ReadonlyArray<number>, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
export const grade = (pair: Pair): boolean => {
  const accuracy = math(takeAnswer(ruleOf(pair), pair.prediction), goldOf(pair))
  return accuracy.kind === "scored" && accuracy.value === 1
}

export const timed = <A>(work: () => A): readonly [A, number] => {
  const begun = performance.now()
  const result = work()
  return [result, performance.now() - begun]
}

/**
 * The typical time, and where that is too long the shortest of some more tries: a program that another one holds up is not slow, and what is
 * slow is slow each time.
 */
export const surely = (work: () => unknown, tries: number, limit: number): number => {
  const took = typical(work, tries)
  return took < limit ? took : Math.min(took, ...Array.from({ length: 5 }, () => timed(work)[1]))
}

/** The median time of some tries: what the work takes on a machine that others use too. */
const typical = (work: () => unknown, tries: number): number =>
  Array.from({ length: tries }, () => timed(work)[1]).toSorted((a, b) => a - b)[Math.floor(tries / 2)] ?? 0
