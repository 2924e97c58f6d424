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

/** Indexes questions. */
export const indexTruths = (questions: ReadonlyArray<Question>): FindTruth => {
  const asked = questions.filter(({ question }) => question.trim() !== "")
  const byKey = Map.groupBy(asked, ({ question }) => question.slice(0, KEY_CHARACTERS))
  const lengths = [...new Set([...byKey.keys()].map((key) => key.length))]
  return (text) => {
    let best: { readonly question: Question; readonly at: number } | undefined
    for (let at = 0; at < text.length; at++) {
      for (const length of lengths) {
        for (const one of byKey.get(text.slice(at, at + length)) ?? []) {
          const longer = one.question.length > (best?.question.question.length ?? 0)
          if (longer && text.startsWith(one.question, at)) best = { question: one, at }
        }
      }
    }
    return best && { question: best.question, rest: text.slice(best.at + best.question.question.length) }
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
