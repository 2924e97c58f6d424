/** The simulated generator behind the real port. */
import { assert, describe, it } from "@effect/vitest"
import * as Seed from "@gradus/domain/Seed"
import { simulatedQuestions } from "@gradus/simulation/SimulatedAnswers"
import { flat, passChance } from "@gradus/simulation/SimulatedModel"
import { simulatedPolicy } from "@gradus/simulation/SimulatedPolicy"
import { Generator, GeneratorFailed } from "../src/Generator.ts"
import * as Effect from "effect/Effect"

const asked = Array.from({ length: 200 }, (_, i) => ({
  question_id: `q${i}`,
  question: "?",
  gold: String(i),
  thinking: "off" as const
}))
const questions = simulatedQuestions(asked, { seed: Seed.root(2) })

const make = (more: { readonly truncated?: number } = {}) =>
  Effect.gen(function* () {
    const policy = yield* simulatedPolicy({
      questions,
      formatError: 0,
      ...more,
      decode: () => Effect.die("no update is sent here"),
      refuse: ({ detail }) => new Error(detail),
      fail: (reason) => new GeneratorFailed({ url: "simulated", reason, retryable: false })
    })
    yield* policy.trainer.open("m", { policy: { kind: "init" } })
    return Generator.of(policy.generator)
  })

const request = (ids: ReadonlyArray<string>, samples: number, policyVersion = 0) => ({
  stage: "train",
  step: 1,
  model: "m",
  policyVersion,
  sampling: { temperature: 1, max_tokens: 100 },
  groups: ids.map((question_id) => ({
    question_id,
    prompt: "p",
    samples,
    seed: Seed.toInt(Seed.child(Seed.root(9), question_id))
  }))
})

describe("the simulated generator", () => {
  it.effect("gives each question its chance: pass rates over many samples are the model's", () =>
    Effect.gen(function* () {
      const generator = yield* make()
      const groups = yield* generator.generate(request(["q0", "q1", "q2", "q3"], 2000))
      groups.forEach((group, i) => {
        const right = group.completions.filter(({ text }) => text === String(i)).length
        const p = passChance(flat(0), questions.get(`q${i}`)?.difficulty ?? NaN)
        assert.closeTo(right / 2000, p, 4 * Math.sqrt((p * (1 - p)) / 2000) + 1e-9)
      })
    })
  )

  it.effect("gives a sample the same bits whatever it is generated with, and complete completions", () =>
    Effect.gen(function* () {
      const generator = yield* make()
      const all = yield* generator.generate(
        request(
          asked.map(({ question_id }) => question_id),
          4
        )
      )
      const alone = yield* (yield* make()).generate(request(["q17"], 4))
      assert.deepStrictEqual(alone[0], all[17])
      for (const { completions, failures } of all) {
        assert.deepStrictEqual(failures, [])
        completions.forEach((completion, k) => {
          assert.strictEqual(completion.k, k)
          assert.strictEqual(completion.token_ids.length, completion.logprobs.length)
          assert.isTrue(completion.logprobs.every((value) => value !== null && value <= 0))
          assert.strictEqual(completion.finish_reason, "stop")
        })
      }
    })
  )

  it.effect("cuts the share that it is told to", () =>
    Effect.gen(function* () {
      const generator = yield* make({ truncated: 0.5 })
      const groups = yield* generator.generate(request(["q0", "q1"], 1000))
      const cut = groups.flatMap(({ completions }) => completions).filter((each) => each.finish_reason === "length")
      assert.closeTo(cut.length / 2000, 0.5, 0.045)
    })
  )

  it.effect("fails with the port's error for a stale policy, an unknown run and an unknown question", () =>
    Effect.gen(function* () {
      const generator = yield* make()
      for (const [bad, reason] of [
        [request(["q0"], 1, 3), "version 0, and 3 was asked for"],
        [{ ...request(["q0"], 1), model: "x" }, "no run x"],
        [request(["nobody"], 1), "question nobody is not in the simulation"]
      ] as const) {
        const error = yield* Effect.flip(generator.generate(bad))
        assert.instanceOf(error, GeneratorFailed)
        assert.include(error.message, reason)
      }
    })
  )
})
