/** What goes to a thread that grades mathematics, and what comes back. */
import type { AnswerRule } from "@gradus/domain/manifest/Rewards"
import { takeAnswers } from "../Answer.ts"
import { gradeMath } from "../math/Grade.ts"
import type { Accuracy } from "../accuracy/Accuracy.ts"

/** A completion, the rule that takes its answer, and the truths that it may meet. */
export interface MathJob {
  readonly rule: AnswerRule
  readonly completion: string
  readonly truths: ReadonlyArray<string>
}

/** The answer that was taken, and whether it is the truth. `limit` names the limit that ended the work: such an answer is wrong. */
export interface MathGrade {
  readonly answer: string | null
  readonly accuracy: Accuracy
  readonly limit?: "time" | "memory"
}

/** What a thread says about the job at an index of its batch. */
export interface MathReply extends MathGrade {
  readonly index: number
}

/**
 * Only so many characters at the end of a completion are sent to a thread: a longer text would have to be copied at once, and an allocation that
 * a thread's heap cannot hold at all ends the whole process.
 */
const SENT_CHARACTERS = 1_000_000

/** Makes a job that a thread can hold. */
export const mathJob = (rule: AnswerRule, completion: string, truths: ReadonlyArray<string>): MathJob => ({
  rule,
  completion: completion.slice(-SENT_CHARACTERS),
  truths: truths.map((truth) => truth.slice(-SENT_CHARACTERS))
})

/** Does a job in the thread that calls it. */
export const doJob = ({ rule, completion, truths }: MathJob): MathGrade => {
  const answers = takeAnswers(rule, completion)
  return { answer: answers.at(-1) ?? null, accuracy: gradeMath(answers, truths) }
}
