import { assert, it } from "@effect/vitest"
import { unscoredElsewhere } from "../src/UnscoredElsewhere.ts"

const reading = (set: string, step: number, unscored: number) => ({
  set,
  step,
  accuracy: 0.5,
  format: 1,
  samples: 8,
  unscored,
  by_level: []
})

it("lists what nobody scored in the profile and in evaluations, and nothing where all is scored", () => {
  const profile = [
    { n: 8, scored: 8 },
    { n: 8, scored: 5 }
  ]
  assert.deepStrictEqual(unscoredElsewhere(profile, [reading("heldout", 0, 0), reading("heldout", 4, 2)]), [
    { stage: "profile", step: 0, samples: 16, unscored: 3 },
    { stage: "eval/heldout", step: 4, samples: 8, unscored: 2 }
  ])
  assert.deepStrictEqual(unscoredElsewhere([{ n: 8, scored: 8 }], [reading("hard", 0, 0)]), [])
})
