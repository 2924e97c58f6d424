/** Which questions of a file are there twice, and which are in an evaluation file too. */
import { text } from "@gradus/datasets/Cells"
import { type Named, type Overlap, overlapReport } from "@gradus/datasets/OverlapReport"
import type { Row } from "@gradus/datasets/Row"
import { readRows } from "@gradus/datasets/service/Rows"
import type { RatedQuestion } from "@gradus/domain/Profile"
import * as Effect from "effect/Effect"
import { UsageError } from "./UsageError.ts"

export interface OverlapFlags {
  /** Files with evaluation questions. */
  readonly against: ReadonlyArray<string>
  /** Whether near-duplicates are looked for where there is no evaluation file. */
  readonly duplicates: boolean
  /** Column with the question's text, here and in the evaluation files. */
  readonly question: string | undefined
  /** Length of a shared run of words that counts. */
  readonly ngram: number | undefined
}

/** A pair of questions, the second of the file that is filtered; `kept` says whether the filter keeps it. */
type Pair = Overlap & { readonly kept: boolean }

type Counts = Readonly<Record<Overlap["kind"], number>>

export interface OverlapResult {
  readonly questions: number
  /** Whether there was an evaluation file to be held against. */
  readonly searched: boolean
  /** Questions with fewer words than an n-gram: only equal ones of them are found. */
  readonly short: number
  readonly ngram: number
  readonly counts: { readonly across: Counts; readonly within: Counts }
  /** Pairs of an evaluation file and the file that is filtered, and pairs of one file. */
  readonly across: ReadonlyArray<Pair>
  readonly within: ReadonlyArray<Pair>
}

const countsOf = (pairs: ReadonlyArray<Overlap>): Counts => {
  const count = (kind: Overlap["kind"]): number => pairs.filter((pair) => pair.kind === kind).length
  return { exact: count("exact"), words: count("words"), ngram: count("ngram") }
}

interface QuestionsFile {
  readonly file: string
  readonly rows: ReadonlyArray<Row>
}

/** Names a row as its file does, else by its number. */
const idOf = ({ row, values }: Row): string => {
  const id = values["question_id"] ?? values["id"]
  return typeof id === "string" || typeof id === "number" ? String(id) : `row-${String(row).padStart(6, "0")}`
}

const namedOf = Effect.fnUntraced(function* (
  { file, rows }: QuestionsFile,
  question: string,
  idAt: (i: number) => string
) {
  const named: Array<Named> = []
  for (const [i, row] of rows.entries())
    named.push({ set: file, question_id: idAt(i), question: yield* text(file, row, question) })
  return named
})

/** Searches, where flags ask for it. Evaluation files come first: then it is the training question that is named as the second of a pair. */
export const overlaps = Effect.fn("Overlaps.search")(function* (
  read: QuestionsFile,
  rated: ReadonlyArray<RatedQuestion>,
  kept: ReadonlySet<string>,
  { against, duplicates, ngram = 13, question = "question" }: OverlapFlags
) {
  if (against.length === 0 && !duplicates) return undefined
  if (ngram < 1) return yield* new UsageError({ reason: `--ngram ${ngram}: a whole number of at least 1 is needed` })
  if (against.includes(read.file))
    return yield* new UsageError({ reason: `--against ${read.file} is the file itself: use --duplicates` })
  const named: Array<Named> = []
  for (const file of against) {
    const rows = yield* readRows(file)
    for (const one of yield* namedOf({ file, rows }, question, (i) => idOf(rows[i]!))) named.push(one)
  }
  for (const one of yield* namedOf(read, question, (i) => rated[i]?.question_id ?? "")) named.push(one)
  const report = overlapReport(named, ngram)
  // what evaluation files have twice, or in common, is not of this file
  const own = (pairs: ReadonlyArray<Overlap>) => pairs.filter(({ second }) => second.set === read.file)
  const judged = (pairs: ReadonlyArray<Overlap>): ReadonlyArray<Pair> =>
    pairs.map((pair) => ({ ...pair, kept: kept.has(pair.second.question_id) }))
  const across = own(report.across)
  const within = own(report.within)
  const result: OverlapResult = {
    questions: report.questions,
    searched: against.length > 0,
    short: report.short,
    ngram,
    counts: { across: countsOf(across), within: countsOf(within) },
    across: judged(across),
    within: judged(within)
  }
  return result
})

/** Pairs that a terminal is told of; `--json` has all. */
const SHOWN = 10

const kinds: Readonly<Record<Overlap["kind"], string>> = {
  exact: "is",
  words: "has the words of",
  ngram: "shares a run of words with"
}

/** Says the result in lines. */
export const overlapLines = (result: OverlapResult): ReadonlyArray<string> =>
  (result.searched ? (["across", "within"] as const) : (["within"] as const)).flatMap((where) => {
    const pairs = result[where]
    const { exact, ngram, words } = result.counts[where]
    const title = where === "across" ? "in an evaluation file too" : "there twice"
    const lines = pairs.slice(0, SHOWN).map(({ first, kept, kind, second, share, shared }) => {
      const run = shared === undefined ? "" : `: "${shared}" (${Math.round((share ?? 0) * 100)} % of its runs)`
      return `  ${second.question_id}${kept ? "" : " (dropped)"} ${kinds[kind]} ${first.question_id} of ${first.set}${run}`
    })
    const more = pairs.length > SHOWN ? [`  and ${pairs.length - SHOWN} more: --json names all`] : []
    return [
      `${pairs.length} ${title}: ${exact} equal, ${words} with equal words, ${ngram} with ${result.ngram} words in a row`,
      ...lines,
      ...more
    ]
  })
