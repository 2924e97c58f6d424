/**
 * The table of all sets: `node packages/rewards/bench/table.ts [folder] [samples]` prints, as markdown, how many rows of each published set are as
 * labelled, every other one with the reason, and times. The folder has `answers/`, `judge/`, `attacks/` and `ifeval/`. Exits with 1 where a
 * reach is missed.
 */
import { loadavg } from "node:os"
import * as Effect from "effect/Effect"
import { math, truths } from "../src/accuracy/Math.ts"
import { followedEach } from "../src/accuracy/Instructions.ts"
import { numeric } from "../src/accuracy/Numeric.ts"
import { takeAnswer } from "../src/Answer.ts"
import { INSTRUCTION_IDS } from "../src/instructions/Follow.ts"
import { guardRow } from "../src/judge/GuardRows.ts"
import { readReply, VERDICT_RULES } from "../src/judge/Verdict.ts"
import { HOSTILE } from "./Hostile.ts"
import { compareCase, PublishedCase } from "./PublishedCases.ts"
import { Attack, Completion, goldOf, grade, Instructed, Pair, quantile, reasonOf, rowsOf, surely } from "./Published.ts"
import { type Reach, settleReaches } from "./Reach.ts"
import { misplaced } from "./ScoreOrder.ts"
import { twoJudges } from "./TwoJudges.ts"

interface Row {
  readonly set: string
  readonly rows: number
  readonly right: number
  readonly note?: string
  /** Percent of the rows that must be right; absent: none, since the labels are choices. */
  readonly least?: number
  /** Wrong answers that were accepted, where there may be none. */
  readonly accepted?: number
  /** Milliseconds of each row: the median of some tries, since this machine has other work too. */
  readonly ms?: ReadonlyArray<number>
  /** Those that are not as labelled, each with its reason. */
  readonly others: ReadonlyArray<string>
}

const TRIES = 5
const ANSWER_MS = 5
const HOSTILE_MS = 100
const print = (line: string): void => void process.stdout.write(`${line}\n`)
const code = (text: unknown): string => `\`${JSON.stringify(text).replaceAll("|", "\\|").slice(0, 90)}\``

const pairs = rowsOf("answers/equivalence_pairs.jsonl", Pair)
const completions = rowsOf("answers/gsm8k_real_model_answers.jsonl", Completion)
const attacks = rowsOf("attacks/attack_strings.jsonl", Attack)
const cases = rowsOf("judge/judge_format_cases.jsonl", PublishedCase)
const instructed = rowsOf("ifeval/input_data.jsonl", Instructed)

const pairRows = (label: string): Row => {
  const rows = pairs.filter(({ label_class }) => label_class === label)
  const others = rows.filter((pair) => grade(pair) !== pair.expected_equal)
  const accepted = others.filter(({ expected_equal }) => !expected_equal).length
  return {
    set: `answers, ${label} class`,
    ...(label === "math" ? { least: 95, accepted } : {}),
    rows: rows.length,
    right: rows.length - others.length,
    note: `${accepted} accepted against the label`,
    ms: rows.map((pair) => surely(() => grade(pair), TRIES, ANSWER_MS)),
    others: others.map((pair) => `${pair.id}: ${reasonOf(pair)} (truth ${code(truths(goldOf(pair)))})`)
  }
}

const completionRows = (name: string, rule: "after_think" | "math_last", accuracy: typeof numeric): Row => {
  const graded = (row: typeof Completion.Type) => accuracy(takeAnswer(rule, row.completion), row.gold)
  const others = completions.filter((row) => {
    const one = graded(row)
    return (one.kind === "scored" && one.value === 1) !== row.expected_correct
  })
  return {
    set: `GSM8K completions by \`${name}\``,
    least: 100,
    rows: completions.length,
    right: completions.length - others.length,
    ms: completions.map((row) => surely(() => graded(row), TRIES, ANSWER_MS)),
    others: others.map(({ id, gold }) => `${id}: truth ${gold}`)
  }
}

const caseRows = (kind: string): Row => {
  const rows = cases.filter(({ mode }) => mode.startsWith(`${kind}:`))
  const others = rows.flatMap((row) => {
    const compared = compareCase(row)
    if (compared === undefined) return [`${row.id}: no rule ${row.mode}`]
    const [ours, expected] = compared.map((one) => JSON.stringify(one))
    return ours === expected ? [] : [`${row.id} ${row.mode}: ${ours} for ${expected}`]
  })
  return { set: `judge, \`${kind}\` cases`, least: 100, rows: rows.length, right: rows.length - others.length, others }
}

/** Truths of every kind; none of them is what an attack says. */
const GOLDS = ["42", "3.5", "\\frac{7}{12}", "x^2 + 3x", "Paris", "The mitochondrion makes the cell's energy."]

const attackRows = (): ReadonlyArray<Row> => {
  const at = (...targets: ReadonlyArray<string>) => attacks.filter(({ target }) => targets.includes(target))
  const row = (set: string, rows: typeof attacks, passes: (text: string, id: string) => boolean): Row => {
    const others = rows.filter(({ id, text }) => passes(text, id)).map(({ id, family }) => `${id} ${family}: accepted`)
    return { set, least: 100, rows: rows.length, right: rows.length - others.length, note: "refused", others }
  }
  const isRight = (text: string, gold: string) => {
    const accuracy = math(takeAnswer("math_last", text), gold)
    return accuracy.kind === "scored" && accuracy.value === 1
  }
  return [
    row("attacks on the judge, at the guard", at("llm_judge", "judge_prompt_and_parser"), (text, id) =>
      GOLDS.some((gold) => guardRow({ id, gold, completion: text }).pass)
    ),
    row("attacks on the verdict, at the parser", at("verdict_parser"), (text) =>
      VERDICT_RULES.some((rule) => {
        const reading = readReply(rule, text)
        return reading !== "unreadable" && reading.value !== 0
      })
    ),
    row("attacks on mathematics, as answers", at("math_grader_and_format", "math_parser"), (text) =>
      isRight(text, "41")
    )
  ]
}

const guardRows = (): ReadonlyArray<Row> => {
  const of = (
    set: string,
    rows: ReadonlyArray<{ readonly id: string; readonly gold: string; readonly completion: string }>
  ): Row => {
    const others = rows.map((one) => guardRow(one)).filter(({ pass }) => !pass)
    return {
      set,
      least: 100,
      rows: rows.length,
      right: rows.length - others.length,
      note: "let through",
      others: others.map(({ id, reason }) => `${id}: ${reason}`)
    }
  }
  const right = pairs.filter(({ expected_equal }) => expected_equal)
  const last = ({ gold }: Pair) => (typeof gold === "string" ? gold : (gold.at(-1) ?? ""))
  return [
    of(
      "honest answers at the guard, right pairs",
      right.map((pair) => ({ id: pair.id, gold: last(pair), completion: pair.prediction }))
    ),
    of("honest answers at the guard, GSM8K completions", completions)
  ]
}

const hostileRow = (): Row => {
  const texts = { ...HOSTILE, ...Object.fromEntries(attacks.map(({ id, text }) => [id, text])) }
  const ms = Object.entries(texts).flatMap(([, text]) =>
    ["42", "x^{2}+1", "\\{1,2\\}", "x<3", text].map((gold) =>
      surely(() => math(takeAnswer("math_last", text), gold), TRIES, HOSTILE_MS)
    )
  )
  const slow = ms.filter((one) => one >= HOSTILE_MS).length
  return { set: "hostile texts below 100 ms", least: 100, rows: ms.length, right: ms.length - slow, ms, others: [] }
}

const instructionRow = (): Row => {
  const ids = [...new Set(instructed.flatMap(({ instruction_id_list }) => instruction_id_list))]
  const unread = instructed.filter(
    (row) => followedEach("x", JSON.stringify(row), "strict")?.length !== row.instruction_id_list.length
  )
  return {
    set: "ifeval, rows whose instructions are all checked",
    least: 100,
    rows: instructed.length,
    right: instructed.length - unread.length,
    note: `${ids.filter((id) => INSTRUCTION_IDS.includes(id)).length} of ${ids.length} ids`,
    others: unread.map(({ key }) => `${key}: not read`)
  }
}

const table = (rows: ReadonlyArray<Row>): void => {
  print("| set | rows | as labelled | | p50 / p99 ms |\n|---|---|---|---|---|")
  for (const { ms, note = "", right, rows: count, set } of rows) {
    const sorted = (ms ?? []).toSorted((a, b) => a - b)
    const times = ms === undefined ? "" : `${quantile(sorted, 0.5).toFixed(3)} / ${quantile(sorted, 0.99).toFixed(2)}`
    print(`| ${set} | ${count} | ${right} | ${note} | ${times} |`)
  }
  print("\nNot as labelled:\n")
  for (const { others, set } of rows) for (const other of others) print(`- ${set}: ${other}`)
}

const reachesOf = ({ accepted, least, ms, right, rows, set }: Row): ReadonlyArray<Reach> => [
  ...(least === undefined ? [] : [{ what: set, measured: (100 * right) / rows, least, unit: " %" }]),
  ...(accepted === undefined ? [] : [{ what: `${set}: wrong accepts`, measured: accepted, below: 1 }]),
  // those of a class with few rows, and hostile ones, have no 99th percentile to keep to
  ...(ms === undefined || least === undefined || set.startsWith("hostile")
    ? []
    : [
        {
          what: `${set}: p99`,
          measured: quantile(
            ms.toSorted((a, b) => a - b),
            0.99
          ),
          below: ANSWER_MS,
          unit: " ms"
        }
      ])
]

// warm: what is measured is a grader that runs, as in a step, not the first milliseconds of a program
for (let i = 0; i < 3; i++) pairs.forEach(grade)
const rows: ReadonlyArray<Row> = [
  ...["math", "robustness", "policy", "suspect"].map(pairRows),
  completionRows("numeric", "after_think", numeric),
  completionRows("math", "math_last", math),
  hostileRow(),
  ...["format", "extract", "parse", "verdict", "sanitize", "judge"].map(caseRows),
  ...attackRows(),
  ...guardRows(),
  instructionRow()
]
table(rows)
const { both, peaks, requests, scored, seconds, serial } = await Effect.runPromise(twoJudges)
print(
  `\n1,152 judgements of 60 ms over two judges: ${seconds.toFixed(2)} s (one call at a time at each: ${serial.toFixed(0)} s), ${scored} scored, ${requests.join(" and ")} calls, up to ${peaks.join(" and ")} at once, both busy ${(100 * both).toFixed(0)} % of the time`
)
const samples = Number(process.argv[3] ?? 100_000)
const wrong = await Effect.runPromise(misplaced(samples, 1_152, 1))
print(`${samples} samples in shuffled order with failures: ${wrong} rewards at another sample`)
print(`load of the machine: ${loadavg()[0]?.toFixed(1)}`)
settleReaches([
  ...rows.flatMap(reachesOf),
  { what: "judgements over two judges", measured: scored, least: 1_152 },
  { what: "share of the time that both judges are busy", measured: 100 * both, least: 90, unit: " %" },
  { what: "rewards at another sample", measured: wrong, below: 1 }
])
