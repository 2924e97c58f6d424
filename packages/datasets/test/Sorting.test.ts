import { assert, describe, it } from "@effect/vitest"
import { SortingQuestions } from "@gradus/domain/manifest/Questions"
import * as Seed from "@gradus/domain/Seed"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { misplace, sloppyCompletion } from "../src/tasks/SloppyTeacher.ts"
import { sorting } from "../src/tasks/Sorting.ts"
import { textsOf } from "../src/Task.ts"

const spec = (settings: Partial<typeof SortingQuestions.Encoded>): SortingQuestions =>
  Schema.decodeSync(SortingQuestions)({ kind: "sorting", ...settings })
const seed = Seed.root(5)
/** Plays the same numbers again and again. */
const played = (...numbers: ReadonlyArray<number>) => {
  let i = 0
  return { next: () => numbers[i++ % numbers.length] ?? 0 }
}

describe("sorting questions", () => {
  it.effect("are distinct over all sets, of the lengths asked for, with sorted golds and stable ids", () =>
    Effect.gen(function* () {
      const { evaluation, train } = yield* sorting.sets(spec({}), seed)
      const { hard = [], heldout = [] } = evaluation
      assert.deepStrictEqual([train.length, heldout.length, hard.length], [2400, 512, 256])
      const all = [...train, ...heldout, ...hard]
      assert.strictEqual(new Set(all.map(({ question }) => question)).size, all.length)
      for (const { gold, level, question } of all) {
        assert.strictEqual(gold, question.split("").toSorted().join(""))
        assert.strictEqual(new Set(question).size, question.length)
        assert.match(question, /^[a-z]+$/)
        assert.strictEqual(level, String(question.length))
      }
      assert.sameMembers([...new Set(train.map(({ level }) => Number(level)))], [3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
      assert.sameMembers([...new Set(hard.map(({ level }) => level))], ["14", "16"])
      assert.isTrue(hard.every(({ thinking }) => thinking === "on"))
      assert.strictEqual(train[12]?.question_id, "train-000012")
      assert.strictEqual(hard[0]?.question_id, "hard-000000")
      const off = train.filter(({ thinking }) => thinking === "off").length / train.length
      // Binomial: standard deviation .0082.
      assert.closeTo(off, 0.2, 0.033)
    })
  )

  it.effect("depend on the seed alone", () =>
    Effect.gen(function* () {
      const small = spec({ train: 20, heldout: 5, hard: 5 })
      const sets = yield* sorting.sets(small, seed)
      assert.deepStrictEqual(yield* sorting.sets(small, Seed.root(5)), sets)
      assert.notDeepEqual(yield* sorting.sets(small, Seed.root(6)), sets)
    })
  )

  it.effect("fill a space to its last question, and say when it has too few", () =>
    Effect.gen(function* () {
      const tiny = { letters: { min: 1, max: 1 }, heldout: 10, hard: 1 }
      const { evaluation, train } = yield* sorting.sets(spec({ ...tiny, train: 16 }), seed)
      assert.strictEqual(new Set([...train, ...(evaluation["heldout"] ?? [])].map((q) => q.question)).size, 26)
      const error = yield* Effect.flip(sorting.sets(spec({ ...tiny, train: 17 }), seed))
      assert.deepInclude(error, { _tag: "QuestionSpaceExhausted", set: "train", asked: 17, found: 16 })
      const none = yield* Effect.flip(sorting.sets(spec({ letters: { min: 5, max: 4 } }), seed))
      assert.deepInclude(none, { set: "heldout", found: 0 })
    })
  )
})

describe("worked examples of sorting", () => {
  it.effect("are made by index and skip the questions of the sets", () =>
    Effect.gen(function* () {
      const narrow = spec({ letters: { min: 1, max: 2 }, train: 500, heldout: 100, hard: 1 })
      const sets = yield* sorting.sets(narrow, seed)
      const exclude = textsOf(sets)
      assert.strictEqual(exclude.size, 601)
      const make = (index: number) => sorting.worked(narrow, seed, index, exclude)
      const forwards = yield* Effect.forEach([0, 1, 2, 3, 4, 5, 6, 7], make)
      const backwards = yield* Effect.forEach([7, 6, 5, 4, 3, 2, 1, 0], make)
      assert.deepStrictEqual(backwards.toReversed(), forwards)
      assert.isTrue(forwards.every(({ question }) => !exclude.has(question)))
      assert.isAbove(new Set(forwards.map(({ question }) => question)).size, 4)
      assert.strictEqual(forwards[3]?.question_id, "warmup-000003")
    })
  )

  it.effect("end in an error where every question is taken", () =>
    Effect.gen(function* () {
      const all = new Set("abcdefghijklmnopqrstuvwxyz")
      const error = yield* Effect.flip(sorting.worked(spec({ letters: { min: 1, max: 1 } }), seed, 0, all))
      assert.deepInclude(error, { _tag: "QuestionSpaceExhausted", set: "warmup", found: 0 })
    })
  )

  it.effect("of a teacher without faults are right, in the format of their mode", () =>
    Effect.gen(function* () {
      const exact = spec({ teacher: { wrong_mode: 0, swap: [0, 0, 0] } })
      for (let i = 0; i < 50; i++) {
        const { completion, gold, thinking } = yield* sorting.worked(exact, seed, i, new Set())
        assert.strictEqual(completion, thinking === "on" ? `<think>${gold}</think>${gold}` : gold)
      }
    })
  )
})

describe("the sloppy teacher", () => {
  it("swaps by distance in the alphabet: 1, 2, more", () => {
    const by = (probability: number, letters: string): string =>
      misplace(letters, [0.2, 0.08, 0.02], played(probability))
    assert.deepStrictEqual([by(0.19, "ab"), by(0.2, "ab")], ["ba", "ab"])
    assert.deepStrictEqual([by(0.07, "ac"), by(0.08, "ac")], ["ca", "ac"])
    assert.deepStrictEqual([by(0.019, "az"), by(0.02, "az")], ["za", "az"])
  })

  it("carries a swapped letter along, and measures distance from it", () => {
    assert.strictEqual(misplace("abc", [0.2, 0.08, 0.02], played(0)), "bca")
    // After the first swap a meets c, two places apart: .1 is not below .08.
    assert.strictEqual(misplace("abc", [0.2, 0.08, 0.02], played(0.1)), "bac")
  })

  it("answers in the other mode's format with the probability given, drafting what it answers", () => {
    const teacher = { wrong_mode: 0.15, swap: [0.2, 0.08, 0.02] } as const
    assert.strictEqual(sloppyCompletion("bdqz", "on", teacher, played(0.15, 0.5)), "<think>bdqz</think>bdqz")
    assert.strictEqual(sloppyCompletion("bdqz", "on", teacher, played(0.14, 0.5)), "bdqz")
    assert.strictEqual(sloppyCompletion("bdqz", "off", teacher, played(0.14, 0.5)), "<think>bdqz</think>bdqz")
    assert.strictEqual(sloppyCompletion("ab", "on", teacher, played(0.5, 0)), "<think>ba</think>ba")
  })

  it.effect("is wrong as often as tiny.md says: 15% modes, and a fifth of close neighbours", () =>
    Effect.gen(function* () {
      const examples = yield* Effect.forEach(
        Array.from({ length: 4000 }, (_, i) => i),
        (i) => sorting.worked(spec({}), seed, i, new Set())
      )
      const wrong = examples.filter(({ completion, thinking }) => completion.startsWith("<") !== (thinking === "on"))
      // Binomial: standard deviation .0056.
      assert.closeTo(wrong.length / 4000, 0.15, 0.023)
      const stream = Seed.stream(Seed.root(9))
      const swapped = Array.from({ length: 4000 }, () => misplace("ab", [0.2, 0.08, 0.02], stream)).filter(
        (w) => w === "ba"
      )
      assert.closeTo(swapped.length / 4000, 0.2, 0.026)
    })
  )
})
