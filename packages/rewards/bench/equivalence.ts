/**
 * Measures answer equivalence on published sets: `node packages/rewards/bench/equivalence.ts [folder]`, where the folder has
 * `answers/` and `attacks/`. Every row that is not as its label says is printed with the reason. A third of the pairs (by a hash of
 * the row) was kept aside while the rules were written. Times are by the clock. Exits with 1 where a reach is missed.
 */
import { createHash } from "node:crypto"
import type { AnswerRule } from "@gradus/domain/manifest/Rewards"
import * as Effect from "effect/Effect"
import { math, truths } from "../src/accuracy/Math.ts"
import { numeric } from "../src/accuracy/Numeric.ts"
import { takeAnswer } from "../src/Answer.ts"
import { equivalent } from "../src/math/Equivalent.ts"
import { defaultPool, MathGrader } from "../src/service/MathGrader.ts"
import { mathJob } from "../src/service/MathJob.ts"
import { HOSTILE } from "./Hostile.ts"
import {
  Attack,
  Completion,
  goldOf,
  grade,
  Pair,
  quantile,
  reasonOf,
  rowsOf,
  ruleOf,
  surely,
  timed
} from "./Published.ts"
import { type Reach, settleReaches } from "./Reach.ts"

const print = (line: string): void => void process.stdout.write(`${line}\n`)

/** Prints times, and gives their 99th percentile. */
const times = (name: string, ms: ReadonlyArray<number>): number => {
  const sorted = ms.toSorted((a, b) => a - b)
  const p99 = quantile(sorted, 0.99)
  print(
    `  ${name}: p50 ${quantile(sorted, 0.5).toFixed(3)} ms, p99 ${p99.toFixed(3)} ms, max ${(sorted.at(-1) ?? 0).toFixed(1)} ms`
  )
  return p99
}

const ANSWER_MS = 5

const isAside = ({ id, gold, prediction }: Pair): boolean =>
  (createHash("sha256")
    .update(`${id}\n${String(gold)}\n${prediction}`)
    .digest()[0] ?? 0) %
    3 ===
  0

const measurePairs = (pairs: ReadonlyArray<Pair>): ReadonlyArray<Reach> => {
  const reaches: Array<Reach> = []
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
      if (label === "math") {
        const right = (100 * (rows.length - wrong.length)) / rows.length
        reaches.push(
          { what: `${part}, math: as labelled`, measured: right, least: 95, unit: " %" },
          { what: `${part}, math: wrong accepts`, measured: accepts, below: 1 }
        )
      }
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
  const p99 = times(
    "in this thread, median of 7 calls a pair",
    pairs.map((pair) => surely(() => grade(pair), 7, ANSWER_MS))
  )
  return [
    ...reaches,
    { what: "pairs in which the order matters", measured: unequal.length, below: 1 },
    { what: "p99 of an answer", measured: p99, below: ANSWER_MS, unit: " ms" }
  ]
}

const measureCompletions = (rows: ReadonlyArray<typeof Completion.Type>): ReadonlyArray<Reach> => {
  const reaches: Array<Reach> = []
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
    reaches.push({ what: `GSM8K completions by ${name} that are not as labelled`, measured: wrong.length, below: 1 })
    for (const row of wrong)
      print(`  ${row.id}: truth ${row.gold}, answer ${JSON.stringify(takeAnswer(rule, row.completion))}`)
    times(
      name,
      graded.map(([, ms]) => ms)
    )
  }
  return reaches
}

const HOSTILE_MS = 100
const HOSTILE_RULES: ReadonlyArray<AnswerRule> = ["math_last", "boxed_last", "whole", "numeric_any", "answer_word"]

/** No text may take 100 ms under any rule against any kind of truth; the median of three tries counts, since garbage is collected in between. */
const measureHostile = (texts: Readonly<Record<string, string>>): ReadonlyArray<Reach> => {
  const slow: Array<string> = []
  const ms: Array<number> = []
  for (const [name, text] of Object.entries(texts)) {
    for (const rule of HOSTILE_RULES) {
      for (const gold of ["42", "x^{2}+1", "\\{1,2\\}", "x<3", text]) {
        const took = surely(() => math(takeAnswer(rule, text), gold), 3, HOSTILE_MS)
        ms.push(took)
        if (took >= HOSTILE_MS) slow.push(`  ${name} by ${rule}: ${took.toFixed(0)} ms`)
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
  return [
    { what: "slowest hostile text", measured: Math.max(...ms), below: HOSTILE_MS, unit: " ms" },
    { what: "hostile texts accepted", measured: accepted.length, below: 1 }
  ]
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
const ofPairs = measurePairs(pairs)
await Effect.runPromise(measureThreads(pairs))
const ofCompletions = measureCompletions(rowsOf("answers/gsm8k_real_model_answers.jsonl", Completion))
const attacks = rowsOf("attacks/attack_strings.jsonl", Attack).map(
  ({ id, family, text }) => [`${id} ${family}`, text] as const
)
settleReaches([...ofPairs, ...ofCompletions, ...measureHostile({ ...HOSTILE, ...Object.fromEntries(attacks) })])
