import { assert, describe, it } from "@effect/vitest"
import type { AdvantageRule } from "@gradus/domain/manifest/Manifest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { advantages } from "../src/Advantage.ts"

const rules: ReadonlyArray<AdvantageRule> = ["grpo", "dr_grpo", "rloo", "loo_std"]

const assertClose = (got: ReadonlyArray<number | null>, want: ReadonlyArray<number | null>, tolerance = 1e-12) => {
  assert.strictEqual(got.length, want.length)
  got.forEach((value, i) => {
    const expected = want[i] ?? null
    if (value === null || expected === null) assert.strictEqual(value, expected)
    else assert.closeTo(value, expected, tolerance * Math.max(1, Math.abs(expected)))
  })
}

describe("advantages by hand", () => {
  // r = [1, 0, 0, 1]: mean 1/2, ddof-1 variance (4 x 1/4) / 3 = 1/3.
  const values = [1, 0, 0, 1]
  it("grpo divides by the ddof-1 standard deviation and 1e-4", () => {
    const a = 0.5 / (Math.sqrt(1 / 3) + 1e-4)
    const group = advantages("grpo", values)
    assertClose(group.advantages, [a, -a, -a, a])
    assert.closeTo(a, 0.8658754297607, 1e-12)
    assert.strictEqual(group.mean, 0.5)
    assert.closeTo(group.std, 0.5773502691896257, 1e-15)
    assert.isFalse(group.zeroVariance)
  })

  it("dr_grpo only subtracts the mean", () => {
    assertClose(advantages("dr_grpo", values).advantages, [0.5, -0.5, -0.5, 0.5])
  })

  it("rloo subtracts the mean of the others", () => {
    assertClose(advantages("rloo", values).advantages, [2 / 3, -2 / 3, -2 / 3, 2 / 3])
  })

  it("loo_std divides that by the others' standard deviation", () => {
    // The others of a 1 are [0, 0, 1]: mean 1/3, ddof-1 variance (1/9 + 1/9 + 4/9) / 2 = 1/3.
    const a = 2 / 3 / Math.sqrt(1 / 3)
    assertClose(advantages("loo_std", values).advantages, [a, -a, -a, a])
  })

  it("loo_std leaves undivided where the others do not differ", () => {
    // The others of the 1 are [0, 0]; the others of a 0 are [0, 1] with mean 1/2 and variance 1/2.
    assertClose(advantages("loo_std", [1, 0, 0]).advantages, [1, -0.5 / Math.sqrt(0.5), -0.5 / Math.sqrt(0.5)])
    assertClose(advantages("loo_std", [1, 0]).advantages, [1, -1])
    assertClose(advantages("loo_std", [0.7, 0.1, 0.1, 0.1]).advantages.slice(0, 1), [0.6])
  })

  it("leaves unscored completions out of mean, std and count", () => {
    const group = advantages("rloo", [null, 1, null, 0, 0])
    assertClose(group.advantages, [null, 1, null, -0.5, -0.5])
    assert.strictEqual(group.scored, 3)
    assert.closeTo(group.mean, 1 / 3, 1e-15)
  })
})

describe("groups that teach nothing", () => {
  it.each(rules)("%s gives zeros where the range is at most 1e-8", (rule) => {
    for (const values of [
      [1, 1, 1],
      [0.1, 0.1, 0.1, 0.1],
      [0.5, 0.5 + 1e-9]
    ]) {
      const group = advantages(rule, values)
      assert.deepStrictEqual(
        group.advantages,
        values.map(() => 0)
      )
      assert.isTrue(group.zeroVariance)
    }
    assert.isFalse(advantages(rule, [0, 2e-8]).zeroVariance)
  })

  it.each(rules)("%s takes another tolerance, up to which a group is constant", (rule) => {
    const values = [0.9, 1, 0.95, 1]
    const constant = advantages(rule, values, 2, 0.11)
    assert.deepStrictEqual(constant.advantages, [0, 0, 0, 0])
    assert.isTrue(constant.zeroVariance)
    assert.strictEqual(constant.std, 0)
    const other = advantages(rule, values, 2, 0.09)
    assert.isFalse(other.zeroVariance)
    assert.isBelow(other.advantages[0] ?? 0, 0)
    // what rounding leaves is a difference where no tolerance is asked for
    assert.isFalse(advantages(rule, [0.5, 0.5 + 1e-9], 2, 0).zeroVariance)
  })

  it("loo_std divides by the others where they differ by more than the tolerance", () => {
    // The others of the 1 are [0, 0.05]: constant to a tolerance of 0.1, and not divided by.
    assertClose(advantages("loo_std", [1, 0, 0.05], 2, 0.1).advantages.slice(0, 1), [0.975])
    assertClose(advantages("loo_std", [1, 0, 0.05]).advantages.slice(0, 1), [0.975 / (0.05 / Math.SQRT2)])
  })

  it.each(rules)("%s drops a group below its floor and one without any score", (rule) => {
    const group = advantages(rule, [1, 0, null], 3)
    assert.deepStrictEqual(group.advantages, [null, null, null])
    assert.isTrue(group.dropped)
    assert.strictEqual(group.scored, 2)
    assert.isFalse(advantages(rule, [1, 0, null], 2).dropped)
    assert.isTrue(advantages(rule, [null, null], 0).dropped)
    assert.isTrue(advantages(rule, []).dropped)
  })
})

describe("laws", () => {
  const rewards = Arbitrary.schema(
    Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: -8, maximum: 8 }))).check(
      Schema.isMinLength(2),
      Schema.isMaxLength(16)
    )
  )

  it.prop("adding a constant to every value changes nothing", [rewards], ([values]) => {
    const shifted = values.map((value) => value + 64)
    for (const rule of rules)
      assertClose(advantages(rule, shifted).advantages, advantages(rule, values).advantages, 1e-10)
  })

  it.prop("grpo, dr_grpo and rloo sum to zero", [rewards], ([values]) => {
    for (const rule of ["grpo", "dr_grpo", "rloo"] as const) {
      const sum = advantages(rule, values).advantages.reduce<number>((total, a) => total + (a ?? Number.NaN), 0)
      assert.closeTo(sum, 0, 1e-9)
    }
  })

  it.prop("unscored completions change nobody's advantage", [rewards, Schema.Int], ([values, at]) => {
    const place = Math.abs(at) % (values.length + 1)
    for (const rule of rules) {
      const { advantages: plain } = advantages(rule, values)
      const holed = advantages(rule, [...values.slice(0, place), null, ...values.slice(place)])
      assert.deepStrictEqual(holed.advantages, [...plain.slice(0, place), null, ...plain.slice(place)])
    }
  })

  it.prop("a better value never has a smaller advantage", [rewards], ([values]) => {
    for (const rule of ["grpo", "dr_grpo", "rloo"] as const) {
      const { advantages: given } = advantages(rule, values)
      values.forEach((a, i) =>
        values.forEach((b, j) => {
          if (a > b) assert.isAtLeast(given[i]!, given[j]!)
        })
      )
    }
  })
})
