import { assert, describe, it } from "@effect/vitest"
import { ArithmeticLevel, ArithmeticQuestions } from "@gradus/domain/manifest/Questions"
import * as Seed from "@gradus/domain/Seed"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { textsOf } from "../src/Task.ts"
import { arithmetic } from "../src/tasks/Arithmetic.ts"
import { drawProblem } from "../src/tasks/ArithmeticLevels.ts"

const spec = (settings: Partial<typeof ArithmeticQuestions.Encoded>): ArithmeticQuestions =>
  Schema.decodeSync(ArithmeticQuestions)({ kind: "arithmetic", ...settings })
const seed = Seed.root(11)
const levels = ArithmeticLevel.literals

/** Works a chain of + and -, or one product, from its text alone. */
const evaluated = (question: string): number => {
  const [first = "", ...rest] = question.replace(/^What is |\?$/g, "").split(" ")
  let value = Number(first)
  for (let i = 0; i < rest.length; i += 2) {
    const by = Number(rest[i + 1])
    value = rest[i] === "+" ? value + by : rest[i] === "-" ? value - by : value * by
  }
  return value
}

/** Follows a story by its numbers: losses are told by their verbs. */
const followed = (question: string): number =>
  [...question.matchAll(/(has|buys|finds|is given|collects|gives away|loses|sells|lends out) (\d+)/g)].reduce(
    (value, [, verb = "", number]) =>
      /gives|loses|sells|lends/.test(verb) ? value - Number(number) : value + Number(number),
    0
  )

describe("each level of arithmetic", () => {
  it.each(levels)("%s: answers are right, steps lead to them, nothing is negative", (level) => {
    const stream = Seed.stream(Seed.child(seed, level))
    for (let i = 0; i < 300; i++) {
      const { answer, question, steps } = drawProblem[level](stream)
      assert.strictEqual(answer, level.startsWith("word") ? followed(question) : evaluated(question), question)
      let before: string | undefined
      for (const step of steps) {
        const [left = "", right = ""] = step.split(" = ")
        assert.strictEqual(String(evaluated(left)), right, step)
        if (before !== undefined) assert.strictEqual(left.split(" ")[0], before)
        assert.isAtLeast(Number(right), 0)
        before = right
      }
      assert.strictEqual(before, String(answer))
    }
  })

  it("has as many steps as its name says", () => {
    const stream = Seed.stream(seed)
    const steps = levels.map((level) => drawProblem[level](stream).steps.length)
    const named = levels.map((level) => Number(/^(?:chain|word)(\d)/.exec(level)?.[1] ?? 1))
    assert.deepStrictEqual(steps, named)
  })
})

describe("arithmetic questions", () => {
  it.effect("are distinct over all sets, with as many of each level as asked for", () =>
    Effect.gen(function* () {
      const { evaluation, train } = yield* arithmetic.sets(spec({}), seed)
      const { hard = [], heldout = [] } = evaluation
      assert.deepStrictEqual([train.length, heldout.length, hard.length], [2750, 264, 256])
      assert.strictEqual(textsOf({ train, evaluation }).size, 2750 + 264 + 256)
      const byLevel = Map.groupBy(train, ({ level }) => level)
      assert.isTrue([...byLevel.values()].every((questions) => questions.length === 250))
      assert.sameMembers([...new Set(hard.map(({ level }) => level))], ["chain6", "chain3d"])
      assert.isTrue(hard.every(({ thinking }) => thinking === "on"))
      for (const { domain, level } of train) {
        assert.strictEqual(domain, level?.startsWith("word") ? "stories" : "arithmetic")
      }
    })
  )

  it.effect("a small space is used up, and then is an error that names the level", () =>
    Effect.gen(function* () {
      const products = { levels: ["mul1"] as const, heldout_per_level: 11, hard_per_level: 1 }
      const { train } = yield* arithmetic.sets(spec({ ...products, train_per_level: 70 }), seed)
      assert.strictEqual(train.length, 70)
      const error = yield* Effect.flip(arithmetic.sets(spec({ ...products, train_per_level: 250 }), seed))
      assert.deepInclude(error, { level: "mul1", set: "train", asked: 250, found: 70 })
      assert.include(error.message, "train asks for 250 questions of mul1")
    })
  )
})

describe("worked examples of arithmetic", () => {
  it.effect("work in think tags and answer after ####, or answer alone", () =>
    Effect.gen(function* () {
      const chains = spec({ levels: ["chain2"] })
      const examples = yield* Effect.forEach(
        Array.from({ length: 40 }, (_, i) => i),
        (i) => arithmetic.worked(chains, seed, i, new Set())
      )
      const on = examples.filter(({ thinking }) => thinking === "on")
      assert.isTrue(on.length > 20 && on.length < 40)
      for (const { completion, gold } of on) {
        const [, last] =
          /^<think>\n\d+ [+-] \d+ = \d+\n\d+ [+-] \d+ = (\d+)\n<\/think>\n#### \1$/.exec(completion) ?? []
        assert.strictEqual(last, gold)
      }
      for (const { completion, gold, thinking } of examples) {
        if (thinking === "off") assert.strictEqual(completion, `#### ${gold}`)
      }
    })
  )

  it.effect("are of every level, made by index, never of a question in the sets", () =>
    Effect.gen(function* () {
      const small = spec({ levels: ["add1", "mul1"], train_per_level: 30, heldout_per_level: 30, hard_per_level: 1 })
      const exclude = textsOf(yield* arithmetic.sets(small, seed))
      const make = (index: number) => arithmetic.worked(small, seed, index, exclude)
      const examples = yield* Effect.forEach(
        Array.from({ length: 40 }, (_, i) => i),
        make
      )
      assert.sameMembers([...new Set(examples.map(({ level }) => level))], ["add1", "mul1"])
      assert.isTrue(examples.every(({ question }) => !exclude.has(question)))
      assert.deepStrictEqual(yield* make(17), examples[17])
    })
  )
})
