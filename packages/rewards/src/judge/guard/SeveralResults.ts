/** Answers that state several results, in the hope that one of them is right. */
import { bare } from "./Bare.ts"

const BOXES = /\\(?:boxed|fbox)\s*\{([^{}]*)\}|<answer>([^<]*)<\/answer>/g
const RANGE = /\b(?:one|any|some|either) of\s*[[({]?\s*-?\d[\d,]*\s*(?:\.{2,}|…|-|–|to|through)\s*-?\d/i
const NUMBER = /^\s*-?\d+(?:\.\d+)?\s*$/
/** What may stand between the items of one list. */
const LIST = /^[\s,;.$\\()[\]]*$/

/** The distinct results of a text that is nothing but boxes or answer tags, one after the other. */
const onlyBoxes = (text: string): ReadonlyArray<string> => {
  if (!LIST.test(text.replace(BOXES, ""))) return []
  return [...new Set([...text.matchAll(BOXES)].map(([, box, tag]) => bare(box ?? tag ?? "")))]
}

const numbersOf = (text: string): ReadonlyArray<string> => text.match(/\d+(?:\.\d+)?/g) ?? []

/** Says whether an answer is a list of boxes with results that the truth does not list, a range to choose from, or different numbers joined by equals signs. */
export const statesSeveral = (answer: string, gold: string): boolean => {
  const results = onlyBoxes(answer)
  const truths = new Set(numbersOf(gold))
  const strange = results.filter((result) => !gold.includes(result) || !numbersOf(result).every((n) => truths.has(n)))
  if (results.length > 1 && strange.length > 0) return true
  if (RANGE.test(answer) && !RANGE.test(gold)) return true
  const chain = bare(answer).split("=")
  return chain.length > 1 && chain.every((part) => NUMBER.test(part)) && new Set(chain.map(Number)).size > 1
}
