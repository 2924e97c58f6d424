import { assert, describe, it } from "@effect/vitest"
import type { Question } from "@gradus/domain/Question"
import * as Effect from "effect/Effect"
import { checkDisjoint } from "../src/Overlap.ts"

const asked = (question_id: string, question: string): Question => ({ question_id, question, gold: "", thinking: "on" })

describe("overlap", () => {
  it.effect("is the same text in two sets, however it is spaced or composed; the error names both ids", () =>
    Effect.gen(function* () {
      const train = [asked("t1", "one  plus\none"), asked("t2", "caf\u00e9"), asked("t3", "Two")]
      const heldout = [asked("h1", " one plus one "), asked("h2", "cafe\u0301"), asked("h3", "two")]
      const error = yield* Effect.flip(checkDisjoint({ train, evaluation: { heldout } }))
      assert.strictEqual(error.count, 2)
      assert.strictEqual(error.message, "the question sets overlap: train t1 is heldout h1, train t2 is heldout h2")
    })
  )

  it.effect("is found between evaluation sets, and between the warm-up and an evaluation set", () =>
    Effect.gen(function* () {
      const [a, b] = [asked("a", "x"), asked("b", "x")]
      const between = yield* Effect.flip(checkDisjoint({ train: [], evaluation: { heldout: [a], hard: [b] } }))
      assert.strictEqual(between.message, "the question sets overlap: hard b is heldout a")
      const warmup = yield* Effect.flip(checkDisjoint({ train: [], evaluation: { heldout: [a] } }, [b]))
      assert.strictEqual(warmup.message, "the question sets overlap: warmup b is heldout a")
    })
  )

  it.effect("is not a text that stands twice in one set, or in the warm-up and train", () =>
    checkDisjoint({ train: [asked("a", "x"), asked("b", "x")], evaluation: {} }, [asked("c", "x")])
  )

  it.effect("names the first ten and counts the rest", () =>
    Effect.gen(function* () {
      const many = (set: string) => Array.from({ length: 14 }, (_, i) => asked(`${set}${i}`, `question ${i}`))
      const error = yield* Effect.flip(checkDisjoint({ train: many("t"), evaluation: { heldout: many("h") } }))
      assert.lengthOf(error.overlaps, 10)
      assert.isTrue(error.message.endsWith("train t9 is heldout h9, and 4 more"))
    })
  )
})
