import { assert, it } from "@effect/vitest"
import * as Seed from "@gradus/domain/Seed"
import { canonicalOrder } from "../src/CanonicalOrder.ts"
import { PoolInvalid } from "../src/PoolInvalid.ts"

it("the order of ids does not depend on the order in which they are given, for 100,000 of them", () => {
  const ids = Array.from({ length: 100_000 }, (_, i) => `train-${i}`)
  const turned = Seed.stream(Seed.root(1)).shuffle([...ids])
  const inOrder = (from: ReadonlyArray<string>): ReadonlyArray<string | undefined> =>
    [...canonicalOrder(from.length, (i) => from[i] ?? "")].map((index) => from[index])
  assert.deepStrictEqual(inOrder(turned), inOrder(ids))
  assert.strictEqual(new Set(inOrder(ids)).size, ids.length)
})

it("an id that occurs twice is named", () => {
  assert.throws(
    () => canonicalOrder(4, (i) => ["a", "b", "c", "b"][i] ?? ""),
    PoolInvalid,
    "question b (row 4 of the pool) is in the pool twice: its row 2 has the id already"
  )
})
