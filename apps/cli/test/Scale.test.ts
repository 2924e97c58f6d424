/** The arithmetic of docs/scale.md, against numbers worked out another way; that the page has the table is checked by `npm run generate -- --check`. */
import { assert, describe, it } from "@effect/vitest"
import { CLUSTER, measuredTable, memory, parameters, SHAPES, scaleTable, time } from "../src/launch/Scale.ts"

const [small, middle, large] = SHAPES
const layout = { shards: 8, positions: 16_384, tokens: 2 * 576 * 16_384, length: 2048 }

describe("scale", () => {
  it("counts the parameters that the published checkpoints have", () => {
    assert.deepStrictEqual(
      [small, middle].map((shape) => shape && parameters(shape)),
      [8_030_261_248, 70_553_706_496]
    )
    assert.closeTo(large === undefined ? 0 : parameters(large), 253e9, 1e9)
  })

  it("cuts the state by shards and nothing else", () => {
    if (middle === undefined) return assert.fail("no 70B")
    const [one, eight] = [8, 64].map((shards) => memory(middle, { ...layout, shards }))
    if (one === undefined || eight === undefined) return assert.fail("no layout")
    assert.closeTo(one.state, 8 * eight.state, 1)
    assert.closeTo(one.state, (16 * 70_553_706_496) / 8, 1)
    assert.deepStrictEqual({ ...one, state: 0, total: 0 }, { ...eight, state: 0, total: 0 })
    assert.closeTo(one.total - eight.total, one.state - eight.state, 1)
  })

  it("needs a node or more for 8B and 64 GPUs or more for 70B; 253B does not fit at all", () => {
    const fits = SHAPES.map((shape) =>
      [1, 8, 64, 576].filter(
        (shards) => memory(shape, { ...layout, shards, positions: 4096 }).total <= CLUSTER.memoryBytes
      )
    )
    assert.deepStrictEqual(fits, [[8, 64, 576], [64, 576], []])
  })

  it("counts arithmetic as six operations a weight and token, attention, and layers once more", () => {
    if (small === undefined) return assert.fail("no 8B")
    const matrices = 8_030_261_248 - 128_256 * 4096
    const operations = (4 / 3) * 16_384 * (6 * matrices + 6 * 32 * 4096 * 2048)
    const { compute, copies, exchange, microBatches, update } = time(small, CLUSTER, layout)
    assert.closeTo(compute, operations / (0.45 * 989e12), 1e-9)
    assert.closeTo(exchange, ((7 / 8) * 8 * 8_030_261_248) / 360e9 + 3 * 32 * 7 * 5e-6, 1e-9)
    assert.strictEqual(microBatches, 2)
    assert.closeTo(copies, (2 * (71 / 72) * 4 * 8_030_261_248) / 8 / 40e9, 1e-9)
    assert.closeTo(update, 2 * compute + exchange + copies, 1e-9)
  })

  it("makes a row a policy and layout", () => {
    const rows = scaleTable().split("\n")
    assert.strictEqual(rows.length, 2 + 3 * 3)
    assert.strictEqual(new Set(rows.map((row) => row.split("|").length)).size, 1)
  })

  it("shows what was measured beside the one process of the same shape", () => {
    const common = { shape: "0.6b", mfu: 0.3643, peak_gb: 36.1 }
    const table = measuredTable([
      { ...common, case: "one process", ranks: 1, tok_s: 100 },
      { ...common, case: "two", ranks: 2, tok_s: 187 },
      { ...common, shape: "8b", case: "two", ranks: 2, tok_s: 5 }
    ])
    assert.deepStrictEqual(table.split("\n").slice(2), [
      "| 0.6b | one process | 100 | 1.00 x | 36.4 % | 36.1 |",
      "| 0.6b | two | 187 | 1.87 x | 36.4 % | 36.1 |",
      "| 8b | two | 5 |  | 36.4 % | 36.1 |"
    ])
  })
})
