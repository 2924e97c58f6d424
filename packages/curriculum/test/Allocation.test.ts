import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { allocate, gaussianShares, largestRemainder, tieRanks } from "../src/Allocation.ts"
import { sigmas, sizes } from "./Pools.ts"

const rates = Arbitrary.schema(
  Schema.NonEmptyArray(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 64 }))).check(Schema.isMaxLength(20))
).pipe(Arbitrary.map((eighths) => [...new Set(eighths)].toSorted((a, b) => a - b).map((rate) => rate / 64)))

describe("largest remainder", () => {
  it.prop("sums to the size, and no count is a whole question off", [rates, sizes, sigmas], ([p, size, sigma]) => {
    const shares = gaussianShares(p, 0.5, sigma)
    const counts = largestRemainder(size, shares, tieRanks(p, 0.5))
    assert.strictEqual(
      counts.reduce((sum, count) => sum + count, 0),
      size
    )
    counts.forEach((count, j) => assert.isBelow(Math.abs(count - size * (shares[j] ?? NaN)), 1 + 1e-6))
  })

  it("gives ties to the level nearest the centre, then to the lower rate", () => {
    const third = Float64Array.of(1 / 3, 1 / 3, 1 / 3)
    assert.deepStrictEqual([...largestRemainder(1, third, tieRanks([0, 0.5, 1], 0.9))], [0, 0, 1])
    assert.deepStrictEqual([...largestRemainder(2, third, tieRanks([0, 0.5, 1], 0.5))], [1, 1, 0])
  })

  it("does not take rounding noise for a remainder", () => {
    const noisy = Float64Array.of(0.1 + 0.2, 0.7 - 4e-17)
    assert.deepStrictEqual([...largestRemainder(10, noisy, Int32Array.of(0, 1))], [3, 7])
  })
})

/** The same, one question at a time, as the pseudo-code says it. */
const oneByOne = (size: number, wanted: Int32Array, left: ReadonlyArray<number>, ranks: Int32Array) => {
  const take = [...wanted].map((count, j) => Math.min(count, left[j] ?? 0))
  let drawn = take.reduce((sum, count) => sum + count, 0)
  let fill = 0
  while (drawn < size && take.some((count, j) => count < (left[j] ?? 0))) {
    const rest = take.map((count, j) => (left[j] ?? 0) - count)
    const most = Math.max(...rest)
    const best = rest.map((_, j) => j).filter((j) => rest[j] === most)
    const first = best.reduce((a, b) => ((ranks[a] ?? 0) < (ranks[b] ?? 0) ? a : b))
    take[first]! += 1
    drawn++
    fill++
  }
  return { take, fill }
}

describe("allocation", () => {
  const some = Arbitrary.schema(
    Schema.NonEmptyArray(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 12 }))).check(Schema.isMaxLength(12))
  )
  it.prop(
    "equals filling one by one, on any pools",
    [some, some, sizes],
    ([left, asked, size]) => {
      let room = size
      const wanted = Int32Array.from(left, (_, j) => {
        const count = Math.min(room, asked[j] ?? 0)
        room -= count
        return count
      })
      const ranks = tieRanks(
        left.map((_, j) => j / left.length),
        0.4
      )
      const { fill, take } = allocate(size, wanted, left, ranks)
      assert.deepStrictEqual({ take: [...take], fill }, oneByOne(size, wanted, left, ranks))
    },
    { arbitrary: { runs: 1000 } }
  )

  const ranks = tieRanks([0, 0.25, 0.5], 0.5)

  it("takes no more than is left, and fills from the largest pool", () => {
    const { fill, take } = allocate(6, Int32Array.of(0, 1, 5), [9, 4, 2], ranks)
    assert.deepStrictEqual([...take], [3, 1, 2])
    assert.strictEqual(fill, 3)
  })

  it("fills ties from the level nearest the centre, one by one", () => {
    const { fill, take } = allocate(4, Int32Array.of(0, 0, 1), [3, 3, 1], ranks)
    assert.deepStrictEqual([...take], [1, 2, 1])
    assert.strictEqual(fill, 3)
  })

  it("takes all of a pool that is smaller than a batch", () => {
    const { fill, take } = allocate(10, Int32Array.of(2, 3, 5), [1, 1, 1], ranks)
    assert.deepStrictEqual([...take], [1, 1, 1])
    assert.strictEqual(fill, 0)
  })
})

it("shares are the normal density at the levels, normalised", () => {
  const shares = gaussianShares([0, 0.25, 0.5], 0.5, 0.25)
  const weights = [Math.exp(-2), Math.exp(-0.5), 1]
  const sum = weights.reduce((total, weight) => total + weight, 0)
  weights.forEach((weight, j) => assert.closeTo(shares[j] ?? NaN, weight / sum, 1e-15))
})
