import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { child, root, type Seed, stream, toInt } from "../src/Seed.ts"

const hexOf = (seed: Seed): string => Buffer.from(seed.bytes).toString("hex")

const draws = (seed: Seed, count: number): ReadonlyArray<number> => {
  const { next } = stream(seed)
  return Array.from({ length: count }, next)
}

const rotated = (x: bigint, by: bigint): bigint => BigInt.asUintN(64, (x << by) | (x >> (64n - by)))

/** xoroshiro128+ as its authors print it (Blackman and Vigna, 2018: 24, 16, 37), in 64-bit integers; the low 32 bits of each result. */
function* xoroshiro(low: number): Generator<number, never> {
  let [s0, s1] = [(0xffff_ffffn << 32n) | BigInt(~low >>> 0), BigInt(low >>> 0) << 32n]
  while (true) {
    yield Number(BigInt.asUintN(32, s0 + s1))
    s1 ^= s0
    s0 = rotated(s0, 24n) ^ s1 ^ BigInt.asUintN(64, s1 << 16n)
    s1 = rotated(s1, 37n)
  }
}

const seeds = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })))
const bounds = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 2 ** 31 - 1 }))

describe("the seed tree", () => {
  it("has the same nodes on every platform (values from Python's hashlib)", () => {
    assert.strictEqual(hexOf(root(0)), "48b9380da275bacd6d50a547278ac6e19e70db5581bb0b33afc8f78ac55ca752")
    assert.strictEqual(hexOf(root(7)), "2dcc73480d2d9cd5d2a6b04c3a2b3da859f3b057ba63cc033060692b8ea3578a")
    const deep = child(root(7), "train", 12, "sort/0017", 3)
    assert.strictEqual(hexOf(deep), "19cf12158a532df47b6c0081a27cc70da5c6dddec9f017c3d09ceeac66b52bb6")
    assert.deepStrictEqual([root(0), root(7), deep].map(toInt), [610049030, 384186788, 216500490])
  })

  it("depends on the path alone: not on how it is walked, nor on what was derived or drawn before", () => {
    const before = draws(child(root(3), "train", 5, "q"), 8)
    const tree = root(3)
    const node = child(child(tree, "train"), 5)
    draws(node, 100)
    draws(child(tree, "profile"), 100)
    for (let step = 9; step > 0; step--) child(tree, "train", step)
    assert.deepStrictEqual(draws(child(node, "q"), 8), before)
    assert.strictEqual(hexOf(child(tree)), hexOf(tree))
  })

  it("keeps names apart that look alike when they are joined", () => {
    const paths = [
      ["a", "b"],
      ["a/b"],
      ["ab"],
      ["a", "", "b"],
      ["", "ab"],
      ["b", "a"],
      ["1"],
      [1],
      ["#1"],
      ["1:1"],
      [11],
      [1, 1]
    ]
    assert.strictEqual(new Set(paths.map((path) => hexOf(child(root(0), ...path)))).size, paths.length)
    assert.notStrictEqual(hexOf(root(1)), hexOf(child(root(0), 1)))
  })

  it("refuses names with half of a surrogate pair, which would all be one name", () => {
    for (const name of ["\ud800", "q\udfff"]) assert.throws(() => child(root(0), "train", name), TypeError)
    assert.notStrictEqual(hexOf(child(root(0), "\ud83d\ude00")), hexOf(child(root(0), "\ufffd")))
  })

  it.prop("gives siblings different nodes, and integers below 2^31", [seeds, seeds], ([seed, other]) => {
    const node = child(root(seed), "train", other)
    assert.notStrictEqual(hexOf(node), hexOf(child(root(seed), "train", other + 1)))
    assert.notStrictEqual(hexOf(node), hexOf(child(root(seed), "profile", other)))
    const whole = toInt(node)
    assert.isTrue(Number.isInteger(whole) && whole >= 0 && whole < 2 ** 31)
  })
})

describe("a stream", () => {
  it("gives the same numbers on every platform (values from an implementation in Python)", () => {
    assert.deepStrictEqual(
      draws(root(0), 4),
      [0.38502959080782073, 0.02105676917902266, 0.4572429083567302, 0.8664036840482309]
    )
    const die = stream(child(root(7), "train", 1))
    assert.deepStrictEqual(
      Array.from({ length: 16 }, () => die.below(6)),
      [2, 1, 3, 1, 0, 1, 2, 5, 0, 4, 5, 3, 0, 2, 2, 2]
    )
    assert.strictEqual(
      stream(child(root(1), "level", "0.5"))
        .shuffle([..."abcdefghij"])
        .join(""),
      "feicahbgdj"
    )
  })

  it.prop("is xoroshiro128+ from the node's second word, 53 bits a number", [seeds], ([seed]) => {
    const node = root(seed)
    const words = xoroshiro(Buffer.from(node.bytes).readInt32BE(4))
    const expected = Array.from({ length: 20 }, () => {
      const [high, low] = [words.next().value, words.next().value]
      return ((high % 2 ** 26) * 2 ** 27 + (low % 2 ** 27)) / 2 ** 53
    })
    assert.deepStrictEqual(draws(node, 20), expected)
  })

  it.prop("stays in [0, 1) and below its bound", [seeds, bounds], ([seed, bound]) => {
    const { below, next } = stream(root(seed))
    for (let i = 0; i < 50; i++) {
      const [x, n] = [next(), below(bound)]
      assert.isTrue(x >= 0 && x < 1 && Number.isInteger(n) && n >= 0 && n < bound)
    }
  })

  it.prop("shuffles in place: the same items, in an order that the node decides", [seeds, bounds], ([seed, n]) => {
    const items = Array.from({ length: n % 40 }, (_, i) => i)
    const shuffled = [...items]
    assert.strictEqual(stream(root(seed)).shuffle(shuffled), shuffled)
    assert.deepStrictEqual(
      shuffled.toSorted((a, b) => a - b),
      items
    )
    assert.deepStrictEqual(stream(root(seed)).shuffle([...items]), shuffled)
  })

  it("shuffles fairly: each of the six orders of three items, 12000 times, within five standard deviations", () => {
    const counts = new Map<string, number>()
    for (let i = 0; i < 12_000; i++) {
      const order = stream(child(root(11), i))
        .shuffle([..."abc"])
        .join("")
      counts.set(order, (counts.get(order) ?? 0) + 1)
    }
    assert.strictEqual(counts.size, 6)
    for (const count of counts.values()) assert.closeTo(count, 2000, 5 * Math.sqrt(12_000 * (1 / 6) * (5 / 6)))
  })
})
