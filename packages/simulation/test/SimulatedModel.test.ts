import { assert, describe, it } from "@effect/vitest"
import type { Question } from "@gradus/domain/Question"
import * as Seed from "@gradus/domain/Seed"
import { answerText, simulatedQuestions, textOf, tokensOf } from "../src/SimulatedAnswers.ts"
import { abilityAt, flat, imitate, learn, passChance } from "../src/SimulatedModel.ts"

const learning = { gain: 2, reach: 1 }
const lesson = (difficulty: number, advantage: number, right: boolean) => ({ difficulty, advantage, right })

describe("the latent-ability model", () => {
  it("answers half of the questions of its own ability, and fewer of harder ones", () => {
    assert.strictEqual(passChance(flat(1), 1), 0.5)
    assert.closeTo(passChance(flat(1), 3), 1 / (1 + Math.exp(2)), 1e-12)
    assert.strictEqual(abilityAt({ low: 0, high: 2, knots: [0, 4, 6] }, 0.5), 2)
    assert.strictEqual(abilityAt({ low: 0, high: 2, knots: [0, 4, 6] }, 9), 6)
  })

  it("moves by gain A (y - p): by hand for one lesson at a knot", () => {
    const ability = { low: 0, high: 2, knots: [0, 0, 0] }
    const after = learn(ability, [lesson(1, 1.5, true)], 3, learning)
    const signal = 1.5 * (1 - passChance(ability, 1))
    assert.closeTo(after.knots[1] ?? NaN, (2 / 3) * signal, 1e-12)
    assert.closeTo(after.knots[0] ?? NaN, (2 / 3) * signal * Math.exp(-0.5), 1e-12)
  })

  it("learns from right answers with positive and wrong ones with negative advantages, and from nothing else", () => {
    assert.isAbove(abilityAt(learn(flat(0), [lesson(0, 1, true)], 1, learning), 0), 0)
    assert.isAbove(abilityAt(learn(flat(0), [lesson(0, -1, false)], 1, learning), 0), 0)
    assert.isBelow(abilityAt(learn(flat(0), [lesson(0, -1, true)], 1, learning), 0), 0)
    assert.deepStrictEqual(learn(flat(0), [lesson(0, 0, true)], 1, learning), flat(0))
    assert.deepStrictEqual(learn(flat(0), [], 16, learning), flat(0))
  })

  it("goes towards the author of what it imitates, never past and never back", () => {
    assert.closeTo(abilityAt(imitate(flat(0), 1, 0.25), 0), 0.25, 1e-12)
    assert.strictEqual(abilityAt(imitate(flat(2), 1, 0.25), 0), 2)
  })
})

describe("simulated answers", () => {
  const question = (question_id: string): Question => ({ question_id, question: "?", gold: "12", thinking: "on" })

  it("have difficulties by id and seed alone, normal as asked for", () => {
    const all = Array.from({ length: 4000 }, (_, i) => question(`q${i}`))
    const known = simulatedQuestions(all, { mean: 1, deviation: 2, seed: Seed.root(3) })
    const values = [...known.values()].map(({ difficulty }) => difficulty)
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
    assert.closeTo(mean, 1, 0.13)
    assert.closeTo(Math.sqrt(variance), 2, 0.1)
    const some = simulatedQuestions([question("q7")], { mean: 1, deviation: 2, seed: Seed.root(3) })
    assert.deepStrictEqual(some.get("q7"), known.get("q7"))
  })

  it("are right, wrong, or in the wrong format as they should be", () => {
    const stream = Seed.stream(Seed.root(1))
    const on = { gold: "12", thinking: "on", difficulty: 0 } as const
    assert.strictEqual(answerText(on, true, false, stream), "<think>simulated</think>12")
    assert.strictEqual(answerText(on, true, true, stream), "12")
    assert.strictEqual(answerText({ ...on, thinking: "off" }, true, false, stream), "12")
    for (const gold of ["12", "abc", "aa", "", "-3.5"]) {
      const text = answerText({ gold, thinking: "off", difficulty: 0 }, false, false, stream)
      assert.notStrictEqual(text, gold)
      assert.strictEqual(textOf(tokensOf(text)), text)
    }
  })
})
