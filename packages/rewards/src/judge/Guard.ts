/** The guard before the judge: answers that say nothing are wrong without a call (judges were seen to pass ":" and "."). */

/** A letter, a digit, or a symbol outside ASCII (∞, ☆): something that could be an answer. */
const CONTENT = /[\p{L}\p{N}]|(?![\p{ASCII}])\p{S}/u

/** Says whether an answer is empty or only punctuation while the truth is not. */
export const saysNothing = (answer: string, gold: string): boolean =>
  answer.trim() === "" || (!CONTENT.test(answer) && CONTENT.test(gold))
