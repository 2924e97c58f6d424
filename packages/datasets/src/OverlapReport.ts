/**
 * Overlaps and near-duplicates, as a report that names the questions: equal texts, and texts that share a run of 13 words, which is how
 * evaluation sets are usually searched for in training data (GPT-3, Brown et al. 2020, appendix C). Time and memory are linear in the words.
 */
import { normalised } from "./Overlap.ts"

/** A question of a named set. */
export interface Named {
  readonly set: string
  readonly question_id: string
  readonly question: string
}

export interface Overlap {
  readonly kind: "exact" | "words" | "ngram"
  readonly first: { readonly set: string; readonly question_id: string }
  readonly second: { readonly set: string; readonly question_id: string }
  /** The words that both have, where the kind is ngram. */
  readonly shared?: string
  /** Share of the second's n-grams that the first has. */
  readonly share?: number
}

export interface OverlapReport {
  readonly questions: number
  /** Pairs of different sets: what was trained on and is evaluated, and pairs of one set. Each second question is named once a kind. */
  readonly across: ReadonlyArray<Overlap>
  readonly within: ReadonlyArray<Overlap>
  /** Questions too short for an n-gram: only equal texts of them are found. */
  readonly short: number
}

/** Splits a text into lower-case words of letters and digits: punctuation and case do not make a question another one. */
export const wordsOf = (text: string): ReadonlyArray<string> =>
  normalised(text)
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu) ?? []

const idOf = ({ question_id, set }: Named) => ({ set, question_id })

/** Remembers who was first to have a text. */
class Firsts {
  readonly first = new Map<string, number>()
  /** Gives the first question that has this text, or takes this one for it. */
  find(text: string, question: number): number | undefined {
    const found = this.first.get(text)
    if (found === undefined) this.first.set(text, question)
    return found
  }
}

interface Match {
  readonly first: number
  readonly at: number
  readonly count: number
}

/** Finds the earlier question with most n-grams of this one; those that nobody has are then this one's. */
const bestMatch = (words: ReadonlyArray<string>, n: number, grams: Firsts, question: number): Match | undefined => {
  const counts = new Map<number, { at: number; count: number }>()
  const seen = new Set<string>()
  for (let at = 0; at + n <= words.length; at++) {
    const gram = words.slice(at, at + n).join(" ")
    if (seen.has(gram)) continue
    seen.add(gram)
    const first = grams.find(gram, question)
    if (first === undefined || first === question) continue
    const entry = counts.get(first)
    if (entry === undefined) counts.set(first, { at, count: 1 })
    else entry.count++
  }
  let best: Match | undefined
  for (const [first, { at, count }] of counts) {
    if (best === undefined || count > best.count) best = { first, at, count }
  }
  return best
}

/**
 * Searches all questions, in the order given (evaluation sets first: then the training questions are the ones that are named as second).
 * A pair is reported once, by its strongest kind: exact (equal but for white space), words (equal but for case and punctuation), ngram.
 */
export const overlapReport = (questions: ReadonlyArray<Named>, n = 13): OverlapReport => {
  if (!Number.isInteger(n) || n < 1) throw new RangeError(`${n}-grams: a whole number of at least 1 is needed`)
  const across: Array<Overlap> = []
  const within: Array<Overlap> = []
  const texts = new Firsts()
  const wordings = new Firsts()
  const grams = new Firsts()
  let short = 0
  questions.forEach((question, i) => {
    const report = (first: number, overlap: Pick<Overlap, "kind" | "shared" | "share">): void => {
      const earlier = questions[first]
      if (earlier === undefined) return
      const list = earlier.set === question.set ? within : across
      list.push({ ...overlap, first: idOf(earlier), second: idOf(question) })
    }
    const words = wordsOf(question.question)
    const exact = texts.find(normalised(question.question), i)
    // Texts without a word (formulas of signs alone) are told apart by their signs only.
    const wording = words.length === 0 ? undefined : wordings.find(words.join(" "), i)
    if (words.length < n) short++
    const match = words.length < n ? undefined : bestMatch(words, n, grams, i)
    if (exact !== undefined) report(exact, { kind: "exact" })
    else if (wording !== undefined) report(wording, { kind: "words" })
    else if (match !== undefined) {
      const shared = words.slice(match.at, match.at + n).join(" ")
      report(match.first, { kind: "ngram", shared, share: match.count / (words.length - n + 1) })
    }
  })
  return { questions: questions.length, across, within, short }
}
