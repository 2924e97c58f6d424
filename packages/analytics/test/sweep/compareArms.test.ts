/** Comparisons of arms: pairs, budgets, and what is not said below three seeds. */
import { assert, describe, it } from "@effect/vitest"
import { straightLine } from "../../src/report/SweepRows.ts"
import { compareArms } from "../../src/sweep/compareArms.ts"
import { cell, sweepFixture } from "./sweepFixture.ts"

const close = (found: number | null | undefined, expected: number, within = 1e-9) =>
  assert.closeTo(found ?? Number.NaN, expected, within)

describe("a comparison of arms", () => {
  const comparison = compareArms(sweepFixture())
  const of = (arm: string) => comparison.differences.find((one) => one.arm === arm)
  const summary = (arm: string) => comparison.arms.find((one) => one.arm === arm)

  it("reads an arm that spends twice the tokens at half of its updates when tokens are equal", () => {
    const [arm, baseline] = [cell(1, 0.05, 2000), cell(1, 0, 1000)]
    const at = (result: typeof arm, step: number) => result.curve.find((point) => point.step === step)?.accuracy ?? 0
    // 50,000 tokens: half-way between steps 20 and 30 of the costly arm, the end of the other
    const expected = (at(arm, 20) + at(arm, 30)) / 2 - at(baseline, 50)
    close(of("costly")?.bySeed[0]?.difference, expected)
    close(
      of("costly")?.equalUpdates.mean,
      [1, 2, 3, 4, 5]
        .map((seed) => {
          const last = (gain: number, per: number) =>
            cell(seed, gain, per).curve.find(({ step }) => step === 50)?.accuracy ?? 0
          return last(0.05, 2000) - last(0, 1000)
        })
        .reduce((sum, value) => sum + value, 0) / 5
    )
  })

  it("gives no interval below three seeds", () => {
    assert.strictEqual(of("short")?.equalTokens.pairs, 2)
    assert.isNull(of("short")?.equalTokens.interval)
    assert.isNull(summary("short")?.interval)
    assert.isNotNull(of("strong")?.equalTokens.interval)
  })

  it("says of how many readings a curve is, which between two has no shape", () => {
    assert.strictEqual(of("costly")?.readings, 6)
    const hard = compareArms(sweepFixture({ metric: { set: "hard" } })).differences
    assert.deepStrictEqual(
      hard.map(({ readings }) => readings),
      [2, 2, 2]
    )
    const [, costly] = hard
    assert.strictEqual(costly && straightLine(costly), "two readings: a straight line between them")
    assert.isUndefined(straightLine({ readings: 3 }))
    assert.isUndefined(straightLine({ readings: null }))
  })

  it("says nothing of five pairs at the level at which all comparisons hold together", () => {
    assert.isAbove(of("strong")?.equalTokens.interval?.low ?? -1, 0)
    assert.deepStrictEqual(of("strong")?.together, { equalTokens: null, equalUpdates: null })
  })

  it("counts who reached the target, how often questions came again, and all wins", () => {
    assert.strictEqual(summary("strong")?.reached, 5)
    assert.strictEqual(summary("strong")?.repeats, 2)
    assert.strictEqual(summary("gaussian")?.repeats, 1)
    assert.strictEqual(of("strong")?.equalTokens.wins, 5)
    assert.strictEqual(of("strong")?.improvement, 1)
  })

  it("pairs only cells that started from the same weights, and says which did not", () => {
    const record = sweepFixture()
    const other = record.cells.map((one) =>
      one.arm === "strong" && one.result.seed === 2 ? { ...one, result: { ...one.result, start: "elsewhere" } } : one
    )
    const changed = compareArms(sweepFixture({ cells: other })).differences.find((one) => one.arm === "strong")
    assert.deepStrictEqual(changed?.unpaired, [2])
    assert.strictEqual(changed?.equalTokens.pairs, 4)
  })

  it("says which differences hold for all comparisons together, which is more than each by itself", () => {
    const seeds = [1, 2, 3, 4, 5, 6]
    const above = (seed: number, gain: number) => {
      const result = cell(seed, 0, 1000)
      return { ...result, curve: result.curve.map((point) => ({ ...point, accuracy: (point.accuracy ?? 0) + gain })) }
    }
    const cells = seeds.flatMap((seed) => [
      { arm: "uniform", result: above(seed, 0) },
      { arm: "mixed", result: above(seed, seed === 1 ? -0.075 : 0.1) },
      { arm: "clear", result: above(seed, 0.1) },
      { arm: "short", result: above(seed, 0.1) }
    ])
    const arms = ["uniform", "mixed", "clear", "short", "e", "f", "g", "h"]
    const shown = cells.filter(({ arm, result }) => arm !== "short" || result.seed < 3)
    const made = compareArms(sweepFixture({ baseline: "uniform", arms, cells: shown, resamples: 20_000 }))
    close(made.together, 1 - 0.05 / 7)
    const found = (arm: string) => made.differences.find((one) => one.arm === arm)
    // one of six pairs is against it; drawn four times and more, which happens in 0.9 %, it takes the mean below zero
    assert.isAbove(found("mixed")?.equalTokens.interval?.low ?? -1, 0)
    assert.isFalse(found("mixed")?.together.equalTokens)
    assert.isTrue(found("clear")?.together.equalTokens)
    assert.isNull(found("short")?.together.equalTokens)
  })

  it("is the same for equal records, and adding an arm changes no other", () => {
    assert.deepStrictEqual(compareArms(sweepFixture()), comparison)
    const fewer = compareArms(
      sweepFixture({
        arms: ["gaussian", "strong"],
        cells: sweepFixture().cells.filter(({ arm }) => arm === "gaussian" || arm === "strong")
      })
    )
    assert.deepStrictEqual(fewer.differences[0], of("strong"))
  })
})
