/** The page of a sweep: says what is there and what is not, and takes names as text. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { sweepPage } from "../../src/report/SweepPage.ts"
import { compareArms } from "../../src/sweep/compareArms.ts"
import { sweepFigures } from "../../src/sweep/SweepFigures.ts"
import type { SweepRecord } from "../../src/sweep/SweepRecord.ts"
import { sweepFixture } from "./sweepFixture.ts"

const pageOf = (record: SweepRecord) => {
  const comparison = compareArms(record)
  return Effect.map(sweepFigures(record, comparison), (figures) => sweepPage(record, comparison, figures))
}

describe("the page of a sweep", () => {
  it.effect("has every arm, every figure, what is missing, and nothing that loads or runs", () =>
    Effect.gen(function* () {
      const page = yield* pageOf(sweepFixture())
      for (const arm of ["strong", "costly", "short"]) assert.include(page, `<th scope="row">${arm}</th>`)
      assert.include(page, "17 of 20 cells are here")
      assert.include(page, "Failed cells, which are in no number: 1.")
      assert.strictEqual(page.match(/<figure /g)?.length, 5)
      assert.notMatch(page, /<script|<link|https?:\/\/(?!www\.w3\.org)/)
      assert.strictEqual(page, yield* pageOf(sweepFixture()))
    })
  )

  it.effect("says where few readings or few pairs keep it from saying more", () =>
    Effect.gen(function* () {
      const few =
        "Below 6 pairs nothing is said at the level at which all comparisons hold together: a percentile bootstrap"
      const straight = "two readings: a straight line between them"
      const page = yield* pageOf(sweepFixture())
      assert.include(page, few)
      assert.notInclude(page, straight)
      const hard = yield* pageOf(sweepFixture({ metric: { set: "hard" } }))
      assert.include(hard, `strong, costly, short at equal tokens: ${straight}.`)
    })
  )

  it.effect("escapes names", () =>
    Effect.gen(function* () {
      const hostile = "<script>alert(1)</script>"
      const record = sweepFixture({
        arms: ["gaussian", hostile],
        cells: sweepFixture().cells.map((cell) => (cell.arm === "strong" ? { ...cell, arm: hostile } : cell))
      })
      assert.notInclude(yield* pageOf(record), "<script")
    })
  )
})
