/**
 * A teacher of sorting that makes mistakes. A warm-up on its traces leaves a policy that can sort but is unreliable, more so
 * on longer lists and on close letters; reinforcement then has slop to remove, and pass rates fill all levels.
 */
import type { SortingQuestions } from "@gradus/domain/manifest/Questions"
import type { Thinking } from "@gradus/domain/Question"
import type { Stream } from "@gradus/domain/Seed"

/** Goes once through sorted letters from left to right and swaps neighbours; a swapped letter may be carried along. */
export const misplace = (
  letters: string,
  swap: SortingQuestions["teacher"]["swap"],
  stream: Pick<Stream, "next">
): string => {
  const out = [...letters]
  for (let i = 0; i + 1 < out.length; i++) {
    const left = out[i] ?? ""
    const right = out[i + 1] ?? ""
    const distance = Math.abs(right.charCodeAt(0) - left.charCodeAt(0))
    if (stream.next() < swap[distance === 1 ? 0 : distance === 2 ? 1 : 2]) {
      out[i] = right
      out[i + 1] = left
    }
  }
  return out.join("")
}

/**
 * Writes the teacher's completion, without the end token. Draft and answer are the same text, so that drafting and answering
 * agree; with probability `wrong_mode` it is in the format of the other mode.
 */
export const sloppyCompletion = (
  answer: string,
  thinking: Thinking,
  teacher: SortingQuestions["teacher"],
  stream: Pick<Stream, "next">
): string => {
  const wrong = stream.next() < teacher.wrong_mode
  const written = misplace(answer, teacher.swap, stream)
  return (thinking === "on") === wrong ? written : `<think>${written}</think>${written}`
}
