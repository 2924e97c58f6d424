import { assert, describe, it } from "@effect/vitest"
import * as Seed from "@gradus/domain/Seed"
import { decisionOf } from "../src/Filter.ts"
import { decideEarly, earlyPlan, finalChances, misfilterRate, predictive } from "../src/EarlyDecision.ts"
import { poolOf } from "./Pools.ts"

const rule = { drop_at: 0.75, samples: 16, certainty: 0.95 }

describe("the predictive distribution", () => {
  it("is the beta-binomial: with a uniform prior and nothing seen every count is equally likely", () => {
    for (let more = 0; more <= 8; more++) assert.closeTo(predictive(0, 0, more, 8), 1 / 9, 1e-12)
    // After 1 of 1 the chance of k of 2 more is (k + 1) / 6.
    for (let more = 0; more <= 2; more++) assert.closeTo(predictive(1, 1, more, 2), (more + 1) / 6, 1e-12)
  })

  it("sums to 1 over all that may come", () => {
    for (const [passed, scored] of [
      [0, 3],
      [5, 7],
      [15, 15]
    ] as const) {
      const sum = Array.from({ length: 33 }, (_, more) => predictive(passed, scored, more, 32, [0.5, 2])).reduce(
        (a, b) => a + b
      )
      assert.closeTo(sum, 1, 1e-10)
    }
  })
})

describe("the early decision", () => {
  it("asks first, drops when it is sure, and completes what it keeps", () => {
    assert.strictEqual(decideEarly(1, 1, rule), "ask")
    assert.strictEqual(decideEarly(14, 14, rule), "drop_easy")
    assert.strictEqual(decideEarly(12, 12, rule), "drop_easy")
    assert.strictEqual(decideEarly(8, 14, rule), "ask")
    assert.strictEqual(decideEarly(16, 16, rule), "complete")
    assert.strictEqual(decideEarly(0, 10, rule), "ask")
    assert.strictEqual(decideEarly(0, 12, { ...rule, floor: 0.2 }), "drop_hard")
  })

  it("is certain when the samples that are missing cannot change it", () => {
    assert.closeTo(finalChances(12, 12, rule).easy, 1, 1e-12)
    assert.closeTo(finalChances(12, 14, rule).easy, 1, 1e-12)
    assert.strictEqual(finalChances(0, 14, rule).easy, 0)
  })

  it("says what it saves and gets wrong: both equal a simulation of the same rule", () => {
    const plan = earlyPlan({ ...rule, samples: 8, certainty: 0.8 })
    const easyFrom = new Map(plan.stops.map((stop) => [stop.scored, stop.easyFrom ?? Infinity]))
    const stream = Seed.stream(Seed.root(5))
    const questions = 40_000
    let saved = 0
    let wrong = 0
    for (let q = 0; q < questions; q++) {
      const p = stream.next()
      const answers = Array.from({ length: 8 }, () => (stream.next() < p ? 1 : 0) as number)
      let passed = 0
      for (let scored = 0; scored < 8; scored++) {
        if (passed >= (easyFrom.get(scored) ?? Infinity)) {
          saved += 8 - scored
          if (answers.reduce((a, b) => a + b, 0) / 8 < 0.75) wrong++
          break
        }
        passed += answers[scored] ?? 0
      }
    }
    assert.isAbove(plan.expectedSaved, 0.5)
    assert.closeTo(saved / questions, plan.expectedSaved, 0.03)
    assert.closeTo(wrong / questions, plan.expectedMisfiltered, 0.003)
    assert.isAtMost(plan.expectedMisfiltered, 0.2)
  })

  it("never gets more wrong than its certainty allows", () => {
    for (const certainty of [0.8, 0.9, 0.99]) {
      assert.isAtMost(earlyPlan({ ...rule, certainty, floor: 0.1 }).expectedMisfiltered, 1 - certainty)
    }
  })

  it("drops nothing that the filter would keep for the same counts, at any n, cut, floor and certainty", () => {
    let dropped = 0
    for (const samples of [2, 3, 5, 8, 11])
      for (const drop_at of [0.3, 0.5, 0.625, 0.75, 0.9, 1])
        for (const floor of [undefined, 0.1, 0.2, 0.29])
          for (const certainty of [0.51, 0.6, 0.75, 0.9, 0.99, 1]) {
            const decide = decisionOf({ drop_at, floor })
            for (let scored = 1; scored < samples; scored++)
              for (let passed = 0; passed <= scored; passed++) {
                const decision = decideEarly(passed, scored, { drop_at, floor, samples, certainty })
                if (decision === "ask") continue
                dropped++
                const said = `${passed}/${scored} of ${samples}, cut ${drop_at}, floor ${floor}, certainty ${certainty}`
                assert.strictEqual(decide(passed, scored), decision === "drop_easy" ? "too_easy" : "below_floor", said)
              }
          }
    assert.isAbove(dropped, 1000)
    // five of seven will probably be six of eight, and is below the cut so far
    assert.strictEqual(decideEarly(5, 7, { drop_at: 0.75, samples: 8, certainty: 0.6 }), "ask")
  })

  it("says when it cannot fire at this n", () => {
    const { notes, stops } = earlyPlan({ drop_at: 0.75, samples: 4, certainty: 0.999, floor: 0.3, first: 4 })
    assert.deepStrictEqual(stops, [])
    assert.deepStrictEqual(notes, [
      "at certainty 0.999 and n = 4 no question can be dropped as too easy before all samples are in",
      "at certainty 0.999 and n = 4 no question can be dropped as below the floor before all samples are in"
    ])
  })
})

describe("the expected mis-filter rate", () => {
  it("is the posterior mass on the other side of the cut", () => {
    // 8 of 8: Beta(9, 1), P(p < .75) = .75^9.
    assert.closeTo(misfilterRate([{ passed: 8, scored: 8 }], { drop_at: 0.75 }), 0.75 ** 9, 1e-12)
    assert.closeTo(misfilterRate([{ passed: 0, scored: 8 }], { drop_at: 0.75 }), 0.25 ** 9, 1e-12)
    assert.strictEqual(misfilterRate([{ passed: 0, scored: 0 }], { drop_at: 0.75 }), 0)
  })

  it("falls with the samples", () => {
    const at = (n: number) =>
      misfilterRate(
        poolOf(
          Array.from({ length: n + 1 }, () => 1),
          n
        ),
        { drop_at: 0.75 }
      )
    assert.isAbove(at(4), at(8))
    assert.isAbove(at(8), at(64))
  })
})
