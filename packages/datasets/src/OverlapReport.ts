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
  /** Pairs of different sets: what was trained on and is evaluated, and pairs of one set. Each second question is named once in either. */
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

interface Match {
  readonly kind: Overlap["kind"]
  readonly first: number
  readonly shared?: string
  readonly share?: number
}

/** How strong a match is: the kind, then how much of the text is shared. */
const strength = ({ kind, share = 0 }: Match): number => (kind === "exact" ? 3 : kind === "words" ? 2 : share)

interface Searched {
  readonly text: string
  /** Empty for texts without a word (formulas of signs alone), which are told apart by their signs only. */
  readonly wording: string
  readonly words: ReadonlyArray<string>
  /** Where each n-gram first stands. */
  readonly grams: ReadonlyMap<string, number>
}

const searched = (text: string, n: number): Searched => {
  const words = wordsOf(text)
  const grams = new Map<string, number>()
  for (let at = 0; at + n <= words.length; at++) {
    const gram = words.slice(at, at + n).join(" ")
    if (!grams.has(gram)) grams.set(gram, at)
  }
  return { text: normalised(text), wording: words.join(" "), words, grams }
}

/** Remembers who of a set was first to have a text, its words, each of its n-grams. */
class Firsts {
  readonly texts = new Map<string, number>()
  readonly wordings = new Map<string, number>()
  readonly grams = new Map<string, number>()

  add({ grams, text, wording }: Searched, question: number): void {
    const take = (map: Map<string, number>, key: string) => map.has(key) || map.set(key, question)
    take(this.texts, text)
    if (wording !== "") take(this.wordings, wording)
    for (const gram of grams.keys()) take(this.grams, gram)
  }

  /** Finds the earlier question that is most like this one. */
  find({ grams, text, wording, words }: Searched, n: number): Match | undefined {
    const exact = this.texts.get(text)
    if (exact !== undefined) return { kind: "exact", first: exact }
    const worded = this.wordings.get(wording)
    if (worded !== undefined) return { kind: "words", first: worded }
    const counts = new Map<number, { readonly at: number; count: number }>()
    for (const [gram, at] of grams) {
      const first = this.grams.get(gram)
      if (first === undefined) continue
      const entry = counts.get(first)
      if (entry === undefined) counts.set(first, { at, count: 1 })
      else entry.count++
    }
    const [best] = [...counts].toSorted(([, a], [, b]) => b.count - a.count)
    if (best === undefined) return undefined
    const [first, { at, count }] = best
    return { kind: "ngram", first, shared: words.slice(at, at + n).join(" "), share: count / (words.length - n + 1) }
  }
}

/**
 * Searches all questions, in the order given (evaluation sets first: then the training questions are the ones that are named as second).
 * Every question is held against the other sets and against its own apart: a duplicate of a question that is evaluated is named as both.
 * It is named once in each, with the question most like it and by the strongest kind: exact (equal but for white space), words (equal but for case and punctuation), ngram.
 */
export const overlapReport = (questions: ReadonlyArray<Named>, n = 13): OverlapReport => {
  if (!Number.isInteger(n) || n < 1) throw new RangeError(`${n}-grams: a whole number of at least 1 is needed`)
  const across: Array<Overlap> = []
  const within: Array<Overlap> = []
  const sets = new Map<string, Firsts>()
  let short = 0
  questions.forEach((question, i) => {
    const found = searched(question.question, n)
    if (found.words.length < n) short++
    const report = (list: Array<Overlap>, match: Match | undefined): void => {
      const earlier = match === undefined ? undefined : questions[match.first]
      if (match === undefined || earlier === undefined) return
      const { first: _, ...overlap } = match
      list.push({ ...overlap, first: idOf(earlier), second: idOf(question) })
    }
    const matches = [...sets].flatMap(([set, firsts]) => (set === question.set ? [] : (firsts.find(found, n) ?? [])))
    report(across, matches.toSorted((a, b) => strength(b) - strength(a))[0])
    const own = sets.get(question.set) ?? new Firsts()
    report(within, own.find(found, n))
    own.add(found, i)
    sets.set(question.set, own)
  })
  return { questions: questions.length, across, within, short }
}
