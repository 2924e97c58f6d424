import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { inTemporaryRuns, manifestOf, planned, service } from "./simulated.ts"

describe("filter and plan", () => {
  it.effect("say in every attempt what a rule cannot do and what makes a run leave its plan", () =>
    inTemporaryRuns((runs) =>
      Effect.gen(function* () {
        const manifest = manifestOf({
          filter: { drop_at: 0.75, credible_level: 0.95 },
          gate: { low: 0, high: 1 },
          refresh: { rule: "every", steps: 2 }
        })
        const notes = [
          "with 8 samples the cut at 0.75 at credible level 0.95 can never drop a question: more samples are needed",
          "with a gate, steps also ask questions of later batches: this plan is what a run without rejections would ask",
          "with a refresh, batches after it are planned anew: this plan holds until the first one"
        ]
        const kept = service()
        const first = yield* planned(manifest, runs, kept)
        assert.deepStrictEqual(first.notes.slice(0, 3), notes)
        const again = yield* planned(manifest, runs, kept)
        assert.deepStrictEqual(again.notes, notes)
        assert.deepStrictEqual(again.plan, first.plan)
      })
    )
  )
})
