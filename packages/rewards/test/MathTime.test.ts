/** The time limit of an answer, on expressions that are grown at random to cost time: towers, long products and sums, deep brackets. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { math } from "../src/accuracy/Math.ts"
import { takeAnswer } from "../src/Answer.ts"
import { MathGrader } from "../src/service/MathGrader.ts"
import { mathJob } from "../src/service/MathJob.ts"

/** Milliseconds of work that an answer may take. */
const LIMIT = 100
/** A text that has grown longer grows no more: what is not read costs nothing. */
const LONGEST = 20_000

/** Truths of each kind of value: a policy writes answers, and no truths. */
const TRUTHS = ["42", "x^{2}+1", "\\{\\pi,\\sqrt{2}\\}", "(0,x)", "x<3"]

/** Puts an expression into a costly one; `n` is how large. */
const SHAPES: ReadonlyArray<(inside: string, n: number) => string> = [
  (inside, n) => `${n}^{${inside}}`,
  (inside, n) => `(${inside})^{${n}${n}}`,
  (inside, n) => `${"(".repeat(n * 4)}${inside}${")".repeat(n * 4)}`,
  (inside, n) => Array.from({ length: n }, () => inside).join("\\cdot "),
  (inside, n) => Array.from({ length: n }, () => `(${inside})`).join("+"),
  (inside, n) => `\\prod_{k=1}^{${n * 99}} (k+${inside})`,
  (inside, n) => `\\sum_{j=1}^{${n * 99}} \\frac{1}{j+${inside}}`,
  (inside, n) => `${"\\frac{1}{".repeat(n)}${inside}${"}".repeat(n)}`,
  (inside, n) => `${"\\sqrt{1\\pm ".repeat(n)}${inside}${"}".repeat(n)}`,
  (inside, n) => `(${inside})${"!".repeat(n)}`,
  (inside, n) => `\\binom{${n}000000}{${inside}}`,
  (inside, n) => `\\{${Array.from({ length: n * 9 }, () => inside).join(",")}\\}`,
  (inside, n) => `\\begin{pmatrix}${Array.from({ length: n }, () => inside).join("&")}\\end{pmatrix}`,
  (inside, n) => `${"|".repeat(n)}${inside}${"|".repeat(n)}`,
  (inside, n) => `${"\\boxed{".repeat(n)}${inside}${"}".repeat(n)}`,
  (inside, n) => `${inside}${"9".repeat(n * 99)}`
]

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const Costly = Schema.Struct({
  core: Schema.Literals(["9", "x", "\\sqrt{2}", "\\pi", "0.1", "x^2+1"]),
  steps: Schema.Array(Schema.Struct({ shape: between(0, SHAPES.length - 1), n: between(2, 16) })).check(
    Schema.isMinLength(1),
    Schema.isMaxLength(8)
  )
})

const grown = ({ core, steps }: typeof Costly.Type): string =>
  steps.reduce<string>(
    (text, { n, shape }) => (text.length > LONGEST ? text : (SHAPES[shape]?.(text, n) ?? text)),
    core
  )

/** Milliseconds of this thread's work alone, so that other programs on the machine do not count; by the clock where Node cannot say. */
const worked = (): number => {
  if (process.threadCpuUsage === undefined) return performance.now()
  const { system, user } = process.threadCpuUsage()
  return (system + user) / 1000
}

/** What some work takes; where that is too much the least of three more tries, since garbage of other work is collected in between. */
const took = (work: () => unknown): number => {
  const once = () => {
    const before = worked()
    work()
    return worked() - before
  }
  const first = once()
  return first < LIMIT ? first : Math.min(once(), once(), once())
}

describe("the time limit", () => {
  it.prop("is kept by the reader itself, whatever an answer is made of", [Costly], ([costly]) => {
    const text = grown(costly)
    for (const rule of ["whole", "math_last"] as const)
      for (const gold of TRUTHS) {
        const worst = took(() => math(takeAnswer(rule, text), gold))
        assert.isBelow(worst, LIMIT, `${rule} against ${gold}: ${text.slice(0, 300)}`)
      }
  })

  it.live("is kept in threads, so that none of them has to be ended", () =>
    Effect.gen(function* () {
      const texts = SHAPES.flatMap((outer) => SHAPES.map((inner) => outer(inner("9", 12), 16)))
      const jobs = texts.map((text) => mathJob("math_last", text, ["41"]))
      const grades = yield* MathGrader.use(({ grade }) => grade(jobs))
      assert.strictEqual(grades.length, SHAPES.length ** 2)
      const ended = grades.flatMap(({ limit }, i) => (limit === undefined ? [] : [texts[i]?.slice(0, 300)]))
      assert.deepStrictEqual(ended, [])
    }).pipe(Effect.provide(MathGrader.layer({ threads: 1, milliseconds: 10_000, megabytes: 128 })))
  )
})
