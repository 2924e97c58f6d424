/** Workers that are killed with kill -9: the sweep loses no cell, repeats none, and has the results of one that was left alone. */
import { assert, describe, it } from "@effect/vitest"
import { rmSync } from "node:fs"
import { join } from "node:path"
import { prepare, underKills } from "./kills.ts"

describe("a sweep whose workers are killed", () => {
  it("ends with the results of one that was not, each cell finished once", async () => {
    const { file, root } = prepare(3, 2)
    try {
      const whole = await underKills(file, join(root, "whole"), [])
      // in the first profile, in the middle of a cell, between cells, and with two workers in one process
      const cut = await underKills(file, join(root, "cut"), [2, 9, 14, 21], 2)
      assert.strictEqual(whole.finished, 6)
      assert.strictEqual(cut.kills, 4)
      assert.deepStrictEqual(cut.metrics, whole.metrics)
      assert.strictEqual(cut.repeated, 0)
      // a kill between the summary and its line leaves a cell that is finished without saying so
      assert.isAtMost(cut.events["finished"] ?? 0, 6)
      assert.isAbove(cut.events["started"] ?? 0, 6)
    } finally {
      rmSync(root, { recursive: true, force: true })
    }
  })
})
