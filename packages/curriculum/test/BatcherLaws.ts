/** The laws that every batcher keeps, as one suite: call it with a batcher and its settings. */
import { assert, describe, it } from "@effect/vitest"
import type { RatedQuestion } from "@gradus/domain/Profile"
import type { PlannedBatch } from "@gradus/domain/Plan"
import * as Seed from "@gradus/domain/Seed"
import * as Schema from "effect/Schema"
import type { Batcher, DrawOptions } from "../src/Batcher.ts"
import { poolOf, pools, seeds, sizes } from "./Pools.ts"

const drawAll = <State, Options extends DrawOptions>(
  batcher: Batcher<State, Options>,
  from: State
): { batches: Array<PlannedBatch>; end: State } => {
  const batches: Array<PlannedBatch> = []
  let state = from
  for (let drawn = batcher.draw(state); drawn !== undefined; drawn = batcher.draw(state)) {
    batches.push(drawn[0])
    state = drawn[1]
  }
  return { batches, end: state }
}

export const batcherLaws = <State, Options extends DrawOptions>(
  name: string,
  batcher: Batcher<State, Options>,
  settings: Omit<Options, keyof DrawOptions>
): void => {
  const begin = (
    pool: ReadonlyArray<RatedQuestion>,
    promptsPerStep: number,
    seed: number,
    lastBatch: "partial" | "drop" = "partial"
  ): State => batcher.init(pool, { ...settings, promptsPerStep, lastBatch, seed: Seed.root(seed) } as Options)
  const encode = Schema.encodeSync(batcher.stateSchema)
  const decode = Schema.decodeUnknownSync(batcher.stateSchema)

  describe(`${name} keeps the batcher laws`, () => {
    it.prop(
      "a restored snapshot draws what the state would have drawn",
      [pools, sizes, seeds],
      ([pool, size, seed]) => {
        const initial = begin(pool, size, seed)
        const state = batcher.draw(initial)?.[1] ?? initial
        const restored = decode(JSON.parse(JSON.stringify(encode(state))))
        assert.deepStrictEqual(drawAll(batcher, restored).batches, drawAll(batcher, state).batches)
      }
    )

    it.prop("every question is drawn exactly once", [pools, sizes, seeds], ([pool, size, seed]) => {
      const { batches, end } = drawAll(batcher, begin(pool, size, seed))
      const drawn = batches.flatMap((batch) => batch.questions)
      assert.deepStrictEqual(drawn.toSorted(), pool.map((question) => question.question_id).toSorted())
      assert.strictEqual(batcher.metrics(end)["curriculum/left"], 0)
    })

    it.prop(
      "batches are full and numbered from 1; a last one is partial or dropped",
      [pools, sizes, seeds],
      ([pool, size, seed]) => {
        const full = Math.floor(pool.length / size)
        const partial = pool.length % size
        const sizesOf = (rule: "partial" | "drop"): Array<number> =>
          drawAll(batcher, begin(pool, size, seed, rule)).batches.map((batch) => batch.questions.length)
        const expected = Array.from({ length: full }, () => size)
        assert.deepStrictEqual(sizesOf("drop"), expected)
        assert.deepStrictEqual(sizesOf("partial"), partial > 0 ? [...expected, partial] : expected)
        const numbers = drawAll(batcher, begin(pool, size, seed)).batches.map((batch) => batch.batch)
        assert.deepStrictEqual(
          numbers,
          numbers.map((_, i) => i + 1)
        )
      }
    )

    it.prop("the order of the rows changes nothing", [pools, sizes, seeds], ([pool, size, seed]) => {
      const turned = Seed.stream(Seed.child(Seed.root(seed), "rows")).shuffle([...pool])
      assert.deepStrictEqual(
        drawAll(batcher, begin(turned, size, seed)).batches,
        drawAll(batcher, begin(pool, size, seed)).batches
      )
    })

    it.prop("the achieved mean is that of the questions drawn", [pools, sizes, seeds], ([pool, size, seed]) => {
      const rate = new Map(pool.map((question) => [question.question_id, question.passed / question.scored]))
      for (const batch of drawAll(batcher, begin(pool, size, seed)).batches) {
        const mean = batch.questions.reduce((sum, id) => sum + (rate.get(id) ?? NaN), 0) / batch.questions.length
        assert.closeTo(batch.achievedMean, mean, 1e-12)
      }
    })

    it("seeds that differ give orders that differ", () => {
      const pool = poolOf([50, 50], 2)
      const order = (seed: number): ReadonlyArray<string> =>
        drawAll(batcher, begin(pool, 10, seed)).batches.flatMap((batch) => batch.questions)
      assert.deepStrictEqual(order(1), order(1))
      assert.notDeepEqual(order(1), order(2))
    })

    it.prop(
      "a question that could not be scored is drawn again, once for each time that it came back",
      [pools, sizes, seeds],
      ([pool, size, seed]) => {
        const first = batcher.draw(begin(pool, size, seed))
        if (first === undefined) return assert.lengthOf(pool, 0)
        const [batch, state] = first
        const unscored = batch.questions.filter((_, i) => i % 2 === 0)
        const outcomes = batch.questions.map((question_id, i) => ({
          question_id,
          scored: i % 2 === 0 ? 0 : 4,
          passed: 0
        }))
        const observed = batcher.observe(state, [...outcomes, { question_id: "unknown", scored: 0, passed: 0 }])
        const again = batcher.observe(observed, outcomes)
        const restored = decode(JSON.parse(JSON.stringify(encode(again))))
        const drawn = drawAll(batcher, restored).batches.flatMap((each) => each.questions)
        const expected = [...pool.map((question) => question.question_id), ...unscored].toSorted()
        assert.deepStrictEqual([...batch.questions, ...drawn].toSorted(), expected)
      }
    )

    it("refuses an id that occurs twice, and a question without a pass rate, by name", () => {
      const twice = [...poolOf([2], 4), { question_id: "0/1", passed: 1, scored: 4 }]
      assert.throws(() => begin(twice, 2, 0), RangeError, "0/1")
      assert.throws(
        () => begin([{ question_id: "x", passed: 0, scored: 0 }], 2, 0),
        RangeError,
        "question x has no pass"
      )
      assert.throws(() => begin([{ question_id: "y", passed: 3, scored: 2 }], 2, 0), RangeError, "3 of 2")
    })
  })
}
