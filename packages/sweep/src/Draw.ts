/** Random values of a sweep, each from the stream of its own draw and path: adding a parameter or draws leaves the others as they were. */
import * as Seed from "@gradus/domain/Seed"
import type { Distribution } from "./Spec.ts"

/** Significant digits of a drawn number: enough to search with, short enough to read. */
const DIGITS = 8

const rounded = (value: number): number => Number(value.toPrecision(DIGITS))

/** Draws one value. The distribution has exactly one key, and its range is in order. */
export const draw = (distribution: Distribution, seed: Seed.Seed): unknown => {
  const stream = Seed.stream(seed)
  const { choice, integer, log_uniform, uniform } = distribution
  if (choice !== undefined) return choice[stream.below(choice.length)]
  if (integer !== undefined) return integer[0] + stream.below(integer[1] - integer[0] + 1)
  if (log_uniform !== undefined) {
    const [low, high] = log_uniform
    return rounded(low * Math.exp(stream.next() * Math.log(high / low)))
  }
  const [low, high] = uniform ?? [0, 0]
  return rounded(low + stream.next() * (high - low))
}

/** Says why a distribution cannot be drawn from, or undefined. */
export const distributionProblem = (distribution: Distribution): string | undefined => {
  const kinds = Object.keys(distribution)
  if (kinds.length !== 1) return "give one of uniform, log_uniform, integer, choice"
  const range = distribution.uniform ?? distribution.log_uniform ?? distribution.integer
  if (range === undefined) return undefined
  if (range[0] >= range[1]) return "the first number must be below the second"
  if (distribution.log_uniform !== undefined && range[0] <= 0) return "a logarithm needs numbers above 0"
  if (distribution.integer !== undefined && !range.every(Number.isSafeInteger)) return "must be two whole numbers"
  return undefined
}
