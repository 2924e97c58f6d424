/** Format rules: whether a completion thinks where it was told to, and only there (paper, section 5). */
import type { FormatOptions, FormatRule } from "@gradus/domain/manifest/Rewards"
import type { Thinking } from "@gradus/domain/Question"

/** The manifest's defaults. */
export const FORMAT_DEFAULTS: FormatOptions = {
  think_opened_by_template: false,
  think_tag: "think",
  answer_tag: "answer"
}

interface Tag {
  readonly open: string
  readonly close: string
}

const tag = (name: string): Tag => ({ open: `<${name}>`, close: `</${name}>` })

const occurrences = (text: string, part: string): number => text.split(part).length - 1

/** The one pair of a tag in a text: what stands before, inside and after; undefined when there is none, or more than one of either. */
const onlyPair = (text: string, { open, close }: Tag) => {
  if (occurrences(text, open) !== 1 || occurrences(text, close) !== 1) return undefined
  const start = text.indexOf(open)
  const end = text.indexOf(close)
  if (end < start) return undefined
  return {
    before: text.slice(0, start),
    inside: text.slice(start + open.length, end),
    after: text.slice(end + close.length)
  }
}

const filled = (text: string): boolean => text.trim() !== ""

/** A tag that is opened and closed again somewhere. */
const holdsPair = (text: string, { open, close }: Tag): boolean => {
  const start = text.indexOf(open)
  return start >= 0 && text.indexOf(close, start + open.length) >= 0
}

type Reader = (text: string, think: Tag, answer: Tag) => number

const kept = (holds: boolean | undefined): number => (holds === true ? 1 : 0)

/** Each rule with thinking on. `text` begins with the tag that a template has opened. */
const READERS: Record<Exclude<FormatRule, "none">, Reader> = {
  /**
   * Exactly one thought and then an answer (the paper). Two choices of ours that it does not print: before the thought only
   * white space is allowed, and the thought is more than white space, so that an empty thought is no way around thinking.
   */
  thinking: (text, think) => {
    const pair = onlyPair(text, think)
    return kept(pair && !filled(pair.before) && filled(pair.inside) && filled(pair.after))
  },
  /** The text begins with the one thought, which may be empty, and goes on after it (TRL). */
  think_strict_start: (text, think) => {
    const pair = onlyPair(text, think)
    return kept(pair && pair.before === "" && filled(pair.after))
  },
  /** Exactly one thought, anywhere, with an answer after it (verifiers). */
  think_single_then_answer: (text, think) => {
    const pair = onlyPair(text, think)
    return kept(pair && filled(pair.after))
  },
  /** Exactly one opening and then one closing over the prompt's end and the completion (NeMo RL). */
  think_balance_with_prompt: (text, think) => kept(onlyPair(text, think) !== undefined),
  /** One thought and one tagged answer, and nothing else but white space between them (open-r1). */
  think_answer: (text, think, answer) => {
    const thought = onlyPair(text, think)
    const said = thought && onlyPair(thought.after, answer)
    const outside = (thought?.before ?? "") + (thought?.inside ?? "")
    const nested = outside.includes(answer.open) || outside.includes(answer.close)
    return kept(said && thought.before === "" && !nested && !filled(said.before) && said.after === "")
  },
  /** A quarter for a thought and three quarters for a tagged answer (NeMo RL). */
  think_answer_graded: (text, think, answer) =>
    (holdsPair(text, think) ? 0.25 : 0) + (holdsPair(text, answer) ? 0.75 : 0)
}

/**
 * Scores the format of a completion: 1 kept, 0 broken (graded rules: between), undefined where the rule is `none`.
 *
 * `thinking`: with detailed thinking on, what the rule says; with thinking off, no think tag at all. A completion whose template
 * has opened the thought is read as if it began with that tag: one that opens it again has two.
 */
export const formatScore = (
  rule: FormatRule,
  completion: string,
  thinking: Thinking,
  options: FormatOptions = FORMAT_DEFAULTS
): number | undefined => {
  if (rule === "none") return undefined
  const think = tag(options.think_tag)
  if (thinking === "off") return kept(!completion.includes(think.open) && !completion.includes(think.close))
  const text = options.think_opened_by_template ? think.open + completion : completion
  return READERS[rule](text, think, tag(options.answer_tag))
}
