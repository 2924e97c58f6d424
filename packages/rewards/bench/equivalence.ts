/**
 * Measures answer equivalence on published sets: `node packages/rewards/bench/equivalence.ts [folder]`, where the folder has
 * `answers/` and `attacks/`. Every row that is not as its label says is printed with the reason. A third of the pairs (by a hash of
 * the row) was kept aside while the rules were written. Times are by the clock.
 */
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { AnswerRule } from "@gradus/domain/manifest/Rewards"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { math, truths } from "../src/accuracy/Math.ts"
import { numeric } from "../src/accuracy/Numeric.ts"
import { takeAnswer } from "../src/Answer.ts"
import { equivalent } from "../src/math/Equivalent.ts"
import { defaultPool, MathGrader } from "../src/service/MathGrader.ts"
import { mathJob } from "../src/service/MathJob.ts"
import { HOSTILE } from "./Hostile.ts"

const print = (line: string): void => void process.stdout.write(`${line}\n`)

const Pair = Schema.Struct({
  id: Schema.String,
  gold: Schema.Union([Schema.String, Schema.Array(Schema.String)]),
  prediction: Schema.String,
  expected_equal: Schema.Boolean,
  label_class: Schema.String,
  label_note: Schema.optionalKey(Schema.String),
  prediction_kind: Schema.String
})
type Pair = typeof Pair.Type
const Completion = Schema.Struct({
  id: Schema.String,
  gold: Schema.String,
  completion: Schema.String,
  expected_correct: Schema.Boolean
})
const Attack = Schema.Struct({ id: Schema.String, family: Schema.String, text: Schema.String })

const folder = process.argv[2] ?? join(import.meta.dirname, "../../../../shared/data")
const rowsOf = <S extends Schema.ConstraintDecoder<unknown>>(path: string, row: S): ReadonlyArray<S["Type"]> => {
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
const ruleOf = (pair: Pair): AnswerRule => RULES[pair.prediction_kind] ?? "math_last"
const goldOf = ({ gold }: Pair): string => (typeof gold === "string" ? gold : JSON.stringify(gold))

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
const reasonOf = ({ id, label_class, label_note = "" }: Pair): string =>
  CONTESTED[id] ??
  (label_class === "math"
    ? "MISS"
    : (CHOICES.find(([note]) => note.test(label_note))?.[1] ?? `unexplained (${label_note})`))

const quantile = (sorted: ReadonlyArray<number>, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
const times = (name: string, ms: ReadonlyArray<number>): void => {
  const sorted = ms.toSorted((a, b) => a - b)
  print(
    `  ${name}: p50 ${quantile(sorted, 0.5).toFixed(3)} ms, p99 ${quantile(sorted, 0.99).toFixed(3)} ms, max ${(sorted.at(-1) ?? 0).toFixed(1)} ms`
  )
}

const grade = (pair: Pair): boolean => {
  const accuracy = math(takeAnswer(ruleOf(pair), pair.prediction), goldOf(pair))
  return accuracy.kind === "scored" && accuracy.value === 1
}

const isAside = ({ id, gold, prediction }: Pair): boolean =>
  (createHash("sha256")
    .update(`${id}\n${String(gold)}\n${prediction}`)
    .digest()[0] ?? 0) %
    3 ===
  0

const timed = <A>(work: () => A): readonly [A, number] => {
  const begun = performance.now()
  const result = work()
  return [result, performance.now() - begun]
}

/** The median time of some tries: what the work takes on a machine that others use too. */
const typical = (work: () => unknown, tries: number): number =>
  Array.from({ length: tries }, () => timed(work)[1]).toSorted((a, b) => a - b)[Math.floor(tries / 2)] ?? 0

const measurePairs = (pairs: ReadonlyArray<Pair>): void => {
  for (const [part, list] of [
    ["built with", pairs.filter((pair) => !isAside(pair))],
    ["kept aside", pairs.filter(isAside)]
  ] as const) {
    for (const label of ["math", "robustness", "policy", "suspect"]) {
      const rows = list.filter(({ label_class }) => label_class === label)
      const wrong = rows.filter((pair) => grade(pair) !== pair.expected_equal)
      const accepts = wrong.filter(({ expected_equal }) => !expected_equal).length
      print(
        `${part}, ${label}: ${rows.length - wrong.length} of ${rows.length} as labelled, ${accepts} accepted against the label`
      )
      for (const pair of wrong) {
        const said = takeAnswer(ruleOf(pair), pair.prediction)
        print(
          `  ${pair.id}: ${reasonOf(pair)} | truth ${JSON.stringify(truths(goldOf(pair)))} | answer ${JSON.stringify(said)}`
        )
      }
    }
  }
  const unequal = pairs.filter(
    (pair) => equivalent(goldOf(pair), pair.prediction) !== equivalent(pair.prediction, goldOf(pair))
  )
  print(`order of the two matters in ${unequal.length} of ${pairs.length} pairs`)
  times(
    "first call",
    pairs.map((pair) => timed(() => grade(pair))[1])
  )
  times(
    "in this thread, median of 7 calls a pair",
    pairs.map((pair) => typical(() => grade(pair), 7))
  )
}

const measureCompletions = (rows: ReadonlyArray<typeof Completion.Type>): void => {
  for (const [name, rule, accuracy] of [
    ["numeric", "after_think", numeric],
    ["math", "math_last", math]
  ] as const) {
    const graded = rows.map((row) => timed(() => accuracy(takeAnswer(rule, row.completion), row.gold)))
    const wrong = rows.filter((row, i) => {
      const one = graded[i]?.[0]
      return (one?.kind === "scored" && one.value === 1) !== row.expected_correct
    })
    print(`GSM8K completions by ${name} (${rule}): ${rows.length - wrong.length} of ${rows.length} as labelled`)
    for (const row of wrong)
      print(`  ${row.id}: truth ${row.gold}, answer ${JSON.stringify(takeAnswer(rule, row.completion))}`)
    times(
      name,
      graded.map(([, ms]) => ms)
    )
  }
}

const HOSTILE_RULES: ReadonlyArray<AnswerRule> = ["math_last", "boxed_last", "whole", "numeric_any", "answer_word"]

/** No text may take 100 ms under any rule against any kind of truth; the median of three tries counts, since garbage is collected in between. */
const measureHostile = (texts: Readonly<Record<string, string>>): void => {
  const slow: Array<string> = []
  const ms: Array<number> = []
  for (const [name, text] of Object.entries(texts)) {
    for (const rule of HOSTILE_RULES) {
      for (const gold of ["42", "x^{2}+1", "\\{1,2\\}", "x<3", text]) {
        const took = typical(() => math(takeAnswer(rule, text), gold), 3)
        ms.push(took)
        if (took >= 100) slow.push(`  ${name} by ${rule}: ${took.toFixed(0)} ms`)
      }
    }
  }
  print(`hostile texts: ${Object.keys(texts).length}, ${slow.length} of ${ms.length} gradings took 100 ms or more`)
  for (const line of slow) print(line)
  times("hostile", ms)
  // Whole texts against 42: none is that answer. (Other rules take parts of them, which may well be 42.)
  const accepted = Object.entries(texts).filter(([, text]) => {
    const accuracy = math(takeAnswer("math_last", text), "41")
    return accuracy.kind === "scored" && accuracy.value === 1
  })
  print(`accepted for 41: ${accepted.length}${accepted.map(([name]) => ` ${name}`).join()}`)
}

const measureThreads = (pairs: ReadonlyArray<Pair>) =>
  Effect.gen(function* () {
    const grader = yield* MathGrader
    const jobs = pairs.map((pair) => mathJob(ruleOf(pair), pair.prediction, truths(goldOf(pair))))
    yield* grader.grade(jobs)
    const single: Array<number> = []
    for (const job of [...jobs, ...jobs, ...jobs]) {
      const begun = performance.now()
      yield* grader.grade([job])
      single.push(performance.now() - begun)
    }
    times("one call, through a thread", single.slice(jobs.length))
    const many = Array.from({ length: 20 }, () => jobs).flat()
    const begun = performance.now()
    yield* grader.grade(many)
    const seconds = (performance.now() - begun) / 1000
    print(`  in batches, ${defaultPool().threads} thread(s): ${Math.round(many.length / seconds)} answers a second`)
  }).pipe(Effect.provide(MathGrader.layer()))

const pairs = rowsOf("answers/equivalence_pairs.jsonl", Pair)
measurePairs(pairs)
await Effect.runPromise(measureThreads(pairs))
measureCompletions(rowsOf("answers/gsm8k_real_model_answers.jsonl", Completion))
const attacks = rowsOf("attacks/attack_strings.jsonl", Attack).map(
  ({ id, family, text }) => [`${id} ${family}`, text] as const
)
measureHostile({ ...HOSTILE, ...Object.fromEntries(attacks) })
