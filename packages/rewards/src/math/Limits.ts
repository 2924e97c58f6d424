/** How much of an answer is read. Beyond a limit a text is not a mathematical value: it equals only itself. */

/** Characters of an answer. The longest truth of the published sets has 159; a longer answer is a solution, not an answer. */
export const MAX_CHARACTERS = 4_096
/** Tokens after normalising. */
export const MAX_TOKENS = 1_024
/** Brackets, braces and operators inside each other. */
export const MAX_DEPTH = 48
/** Bits of a numerator or denominator that is worked out exactly. */
export const MAX_BITS = 16_384
/** Work on exact values in one comparison, in products of 64-bit words: some five milliseconds. */
export const MAX_WORK = 40_000
/** Items of a list, set, tuple or matrix. */
export const MAX_ITEMS = 128
/** Node visits in one evaluation, sums written out included. */
export const MAX_VISITS = 20_000
/** Terms of a sum or product that is written out. */
export const MAX_TERMS = 1_000

/** Thrown inside the reader and evaluator where a text is no value or passes a limit; it never leaves them. */
export class NotAValue extends Error {}

export const refuse = (why: string): never => {
  throw new NotAValue(why)
}
