/** Truths by question: for doors whose callers send a text without saying what is right. */
import type { Question } from "@gradus/domain/Question"

/** A question found in a text, and what stands after it. */
export interface Found {
  readonly question: Question
  readonly rest: string
}

/** Finds the question that a text contains; of several the longest. */
export type FindTruth = (text: string) => Found | undefined

/** Questions are looked up by so many first characters, so that a text is read once, however many questions there are. */
const KEY_CHARACTERS = 24

const longer = (a: Found | undefined, b: Found | undefined): Found | undefined =>
  (b?.question.question.length ?? -1) > (a?.question.question.length ?? -1) ? b : a

/** Indexes questions. */
export const indexTruths = (questions: ReadonlyArray<Question>): FindTruth => {
  const asked = questions.filter(({ question }) => question.trim() !== "")
  const byKey = Map.groupBy(asked, ({ question }) => question.slice(0, KEY_CHARACTERS))
  const lengths = [...new Set([...byKey.keys()].map((key) => key.length))]
  const findAt = (text: string, at: number): Found | undefined =>
    lengths
      .flatMap((length) => byKey.get(text.slice(at, at + length)) ?? [])
      .filter(({ question }) => text.startsWith(question, at))
      .map((question): Found => ({ question, rest: text.slice(at + question.question.length) }))
      .reduce<Found | undefined>(longer, undefined)
  return (text) => {
    let best: Found | undefined
    for (let at = 0; at < text.length; at++) best = longer(best, findAt(text, at))
    return best
  }
}

/** Where an answer begins, in the chat templates of the usual models. */
const ANSWER_BEGINS =
  /<\|im_start\|>assistant\n?|<\|start_header_id\|>assistant<\|end_header_id\|>\n{0,2}|<start_of_turn>model\n?|<\|assistant\|>\n?|\[\/INST\]|(?:^|\n)[ \t]{0,8}assistant[ \t]{0,8}:?[ \t]{0,8}\n|(?:^|\n)[ \t]{0,8}Assistant:[ \t]{0,8}/i
const TURN_ENDS = [
  "<|im_end|>",
  "<|eot_id|>",
  "<|endoftext|>",
  "<|end_of_text|>",
  "<end_of_turn>",
  "<|end|>",
  "</s>"
] as const

const withoutTurnEnds = (text: string): string => {
  let rest = text
  for (;;) {
    const trimmed = rest.trimEnd()
    const end = TURN_ENDS.find((one) => trimmed.endsWith(one))
    if (end === undefined) return rest
    rest = trimmed.slice(0, -end.length)
  }
}

/** Takes the completion from what stands after a question: behind the marker of the first answer, where there is one, and without the end of its turn. */
export const completionAfter = (rest: string): string => {
  const begin = ANSWER_BEGINS.exec(rest)
  return withoutTurnEnds(begin === null ? rest : rest.slice(begin.index + begin[0].length))
}
