/** The levels of the arithmetic task: each draws a question with its worked steps. Chains hold + and - only, so that reading from left to right is right. */
import type { ArithmeticLevel } from "@gradus/domain/manifest/Questions"
import type { Stream } from "@gradus/domain/Seed"
import { drawStory } from "./Stories.ts"

/** A problem: its text, the worked lines, and the number that is right. */
export interface Problem {
  readonly question: string
  /** Lines like `11 + 7 = 18`, in order. */
  readonly steps: ReadonlyArray<string>
  readonly answer: number
}

export const between = (stream: Stream, low: number, high: number): number => low + stream.below(high - low + 1)

type Operator = "+" | "-" | "*"

const apply = (a: number, operator: Operator, b: number): number =>
  operator === "+" ? a + b : operator === "-" ? a - b : a * b

const single = (a: number, operator: Operator, b: number): Problem => {
  const answer = apply(a, operator, b)
  return { question: `What is ${a} ${operator} ${b}?`, steps: [`${a} ${operator} ${b} = ${answer}`], answer }
}

/** Draws a start and `length` additions or subtractions that never go below zero. */
const chain = (
  stream: Stream,
  length: number,
  start: readonly [number, number],
  operand: readonly [number, number]
): Problem => {
  let value = between(stream, ...start)
  let text = String(value)
  const steps: Array<string> = []
  for (let i = 0; i < length; i++) {
    const by = between(stream, ...operand)
    const operator = stream.below(2) === 0 && value >= by ? "-" : "+"
    const next = apply(value, operator, by)
    steps.push(`${value} ${operator} ${by} = ${next}`)
    text += ` ${operator} ${by}`
    value = next
  }
  return { question: `What is ${text}?`, steps, answer: value }
}

const small = [1, 20] as const
const digit = [1, 9] as const
const tens = [10, 40] as const

/** Draws one problem of a level. */
export const drawProblem: Readonly<Record<ArithmeticLevel, (stream: Stream) => Problem>> = {
  add1: (stream) => single(between(stream, 1, 9), "+", between(stream, 1, 9)),
  mul1: (stream) => single(between(stream, 1, 9), "*", between(stream, 1, 9)),
  add2: (stream) => single(between(stream, 10, 99), "+", between(stream, 10, 99)),
  add3: (stream) => single(between(stream, 100, 999), "+", between(stream, 100, 999)),
  mul21: (stream) => single(between(stream, 11, 99), "*", between(stream, 2, 9)),
  sub2: (stream) => {
    const [a, b] = [between(stream, 10, 99), between(stream, 10, 99)]
    return single(Math.max(a, b), "-", Math.min(a, b))
  },
  chain2: (stream) => chain(stream, 2, small, digit),
  chain3: (stream) => chain(stream, 3, small, digit),
  chain4: (stream) => chain(stream, 4, small, digit),
  chain6: (stream) => chain(stream, 6, small, digit),
  chain2d: (stream) => chain(stream, 2, tens, tens),
  chain3d: (stream) => chain(stream, 3, tens, tens),
  word1: (stream) => drawStory(stream, 1),
  word2: (stream) => drawStory(stream, 2),
  word3: (stream) => drawStory(stream, 3)
}

/** Tells the domain of a level: stories, or bare arithmetic. */
export const domainOf = (level: ArithmeticLevel): "arithmetic" | "stories" =>
  level.startsWith("word") ? "stories" : "arithmetic"
