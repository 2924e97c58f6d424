/** A simulated run says so in every chart and in its report. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { figures } from "../src/Figures.ts"
import { reportHtml } from "../src/Report.ts"
import { quickstartRecord } from "./quickstartRecord.ts"

const words = "SIMULATION: no language model was run"
const record = quickstartRecord()
const simulated = quickstartRecord({
  lineage: { ...record.lineage, trainer: { ...record.lineage.trainer, device: "simulated" } }
})

describe("a simulated run", () => {
  it.effect("is marked in the spec and the drawing of every chart, and a real one in none", () =>
    Effect.gen(function* () {
      const drawn = yield* figures(simulated)
      assert.isAbove(drawn.length, 5)
      for (const { spec, svg } of drawn) {
        assert.include(JSON.stringify(spec.title), words)
        assert.include(svg, words)
      }
      for (const { svg } of yield* figures(record)) assert.notInclude(svg, "SIMULATION")
    })
  )

  it.effect("is marked in the report's title and head", () =>
    Effect.gen(function* () {
      const page = yield* reportHtml(simulated, { figures: [] })
      assert.match(page, /<title>[^<]*\(simulation\)<\/title>/)
      assert.include(page, "Gradus run report: simulation")
      assert.include(page, "say nothing about a real policy")
      assert.notInclude(yield* reportHtml(record, { figures: [] }), "imulation")
    })
  )
})
