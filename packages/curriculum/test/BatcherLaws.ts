/** The laws that every batcher keeps, as one suite: call it with a batcher and its settings. */
import { assert, describe, it } from "@effect/vitest"
import type { RatedQuestion } from "@gradus/domain/Profile"
import type { PlannedBatch } from "@gradus/domain/Plan"
import * as Seed from "@gradus/domain/Seed"
import * as Schema from "effect/Schema"
import type { Batcher, DrawOptions, Outcome } from "../src/Batcher.ts"
import { PoolInvalid } from "../src/PoolInvalid.ts"
import { poolOf, pools, seeds, sizes } from "./Pools.ts"

const most = 400

/** The suite runs for some twenty batchers and settings: forty pools of each law are as many as the build has time for. */
const lawOf = ((name: string, arbitraries: never, law: never) =>
  it.prop(name, arbitraries, law, { arbitrary: { runs: 40 } })) as typeof it.prop

const drawAll = <State, Options extends DrawOptions>(
  batcher: Batcher<State, Options>,
  from: State,
  steps = most
): { batches: Array<PlannedBatch>; end: State } => {
  const batches: Array<PlannedBatch> = []
  let state = from
  while (batches.length < steps) {
    const drawn = batcher.draw(state)
    if (drawn === undefined) break
    batches.push(drawn[0])
    state = drawn[1]
  }
  return { batches, end: state }
}

/** Outcomes that depend on the step and the question alone: every fifth group unscored, the others of any rate. */
const outcomesOf = ({ batch, questions }: PlannedBatch, seed: number): ReadonlyArray<Outcome> =>
  questions.map((question_id) => {
    const stream = Seed.stream(Seed.child(Seed.root(seed), batch, question_id))
    return { question_id, scored: stream.below(5) === 0 ? 0 : 8, passed: stream.below(9) }
  })

/** Draws and observes. */
const learn = <State, Options extends DrawOptions>(
  batcher: Batcher<State, Options>,
  from: State,
  steps: number,
  seed: number
): { batches: Array<PlannedBatch>; end: State } => {
  const batches: Array<PlannedBatch> = []
  let state = from
  for (let t = 0; t < steps; t++) {
    const drawn = batcher.draw(state)
    if (drawn === undefined) break
    batches.push(drawn[0])
    state = batcher.observe(drawn[1], outcomesOf(drawn[0], seed))
  }
  return { batches, end: state }
}

const ids = (batches: ReadonlyArray<PlannedBatch>): ReadonlyArray<string> => batches.flatMap((batch) => batch.questions)

export interface LawsOf {
  /** `once`: every question once in a pass. `again`: with replacement over the steps. */
  readonly replacement: "once" | "again"
  /** How often the pass serves each question; 1 unless told. */
  readonly passes?: number
  /** Whether the questions of the suite's pools are of several domains. */
  readonly domains?: boolean
  /** Passes' worth of steps after which nobody may have starved; 40 unless told. */
  readonly patience?: number
}

/** Gives each question a domain by its id, so that rows in any order have the same: "x" has about half, "z" few or none. */
const inDomains = (pool: ReadonlyArray<RatedQuestion>): ReadonlyArray<RatedQuestion> =>
  pool.map((question) => {
    const drawn = Seed.stream(Seed.child(Seed.root(9), question.question_id)).below(10)
    return { ...question, domain: drawn < 5 ? "x" : drawn < 9 ? "y" : "z" }
  })

export const batcherLaws = <State, Options extends DrawOptions>(
  name: string,
  batcher: Batcher<State, Options>,
  settings:
    | Omit<Options, keyof DrawOptions>
    | ((domains: ReadonlySet<string | undefined>) => Omit<Options, keyof DrawOptions>),
  law: LawsOf = { replacement: "once" }
): void => {
  const begin = (
    rated: ReadonlyArray<RatedQuestion>,
    promptsPerStep: number,
    seed: number,
    lastBatch: "partial" | "drop" = "partial"
  ): State => {
    const pool = law.domains === true ? inDomains(rated) : rated
    const own = typeof settings === "function" ? settings(new Set(pool.map(({ domain }) => domain))) : settings
    return batcher.init(pool, { ...own, promptsPerStep, lastBatch, seed: Seed.root(seed) } as Options)
  }
  const encode = Schema.encodeSync(batcher.stateSchema)
  const decode = Schema.decodeUnknownSync(batcher.stateSchema)
  const through = (state: State): State => decode(JSON.parse(JSON.stringify(encode(state))))
  const passes = law.passes ?? 1

  describe(`${name} keeps the batcher laws`, () => {
    lawOf(
      "restore = continue: a restored snapshot draws and learns as the state would have",
      [pools, sizes, seeds],
      ([pool, size, seed]) => {
        const { end } = learn(batcher, begin(pool, size, seed), 3, seed)
        const restored = through(end)
        assert.deepStrictEqual(learn(batcher, restored, 4, seed).batches, learn(batcher, end, 4, seed).batches)
        const unobserved = batcher.draw(end)?.[1] ?? end
        assert.deepStrictEqual(
          drawAll(batcher, through(unobserved), 4).batches,
          drawAll(batcher, unobserved, 4).batches
        )
      }
    )

    lawOf(
      "a refill holds what lacks, or what is left; restore = continue; nothing is lost by it",
      [pools, sizes, seeds],
      ([pool, size, seed]) => {
        const first = batcher.draw(begin(pool, size, seed, "drop"))
        if (first === undefined) return assert.isBelow(pool.length, size)
        const [batch, drawn] = first
        const scored = batch.questions.map((question_id) => ({ question_id, scored: 8, passed: 4 }))
        const state = batcher.observe(drawn, scored)
        const lacking = 1 + (seed % size)
        const refill = batcher.draw(state, lacking)
        assert.deepStrictEqual(batcher.draw(through(state), lacking)?.[0], refill?.[0])
        const held = refill?.[0].questions ?? []
        assert.strictEqual(new Set(held).size, held.length)
        if (law.replacement === "again") return assert.lengthOf(held, Math.min(lacking, pool.length))
        if (passes > 1) return assert.isAtMost(held.length, lacking)
        assert.lengthOf(held, Math.min(lacking, pool.length - batch.questions.length))
        const rest = refill === undefined ? [] : ids(drawAll(batcher, refill[1]).batches)
        assert.sameMembers([...batch.questions, ...held, ...rest], [...new Set([...batch.questions, ...held, ...rest])])
        assert.isAbove(size, pool.length - batch.questions.length - held.length - rest.length)
      }
    )

    lawOf("purity: drawing and observing leave the state as it was", [pools, sizes, seeds], ([pool, size, seed]) => {
      const state = learn(batcher, begin(pool, size, seed), 2, seed).end
      const before = JSON.stringify(encode(state))
      const drawn = batcher.draw(state)
      if (drawn !== undefined) {
        const after = JSON.stringify(encode(drawn[1]))
        batcher.observe(drawn[1], outcomesOf(drawn[0], seed))
        assert.strictEqual(JSON.stringify(encode(drawn[1])), after)
      }
      assert.strictEqual(JSON.stringify(encode(state)), before)
    })

    lawOf("no batch has a question twice, whatever comes back", [pools, sizes, seeds], ([pool, size, seed]) => {
      for (const { questions } of learn(batcher, begin(pool, size, seed), 12, seed).batches) {
        assert.strictEqual(new Set(questions).size, questions.length)
      }
    })

    if (law.replacement === "once") {
      lawOf(
        `conservation: every question is drawn ${passes === 1 ? "exactly once" : `exactly ${passes} times`}`,
        [pools, sizes, seeds],
        ([pool, size, seed]) => {
          const { batches, end } = drawAll(batcher, begin(pool, size, seed))
          const expected = Array.from({ length: passes }, () => pool.map((question) => question.question_id)).flat()
          assert.deepStrictEqual(ids(batches).toSorted(), expected.toSorted())
          assert.strictEqual(batcher.metrics(end)["curriculum/left"], 0)
        }
      )

      lawOf(
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
          const drawn = ids(drawAll(batcher, through(again)).batches)
          const all = Array.from({ length: passes }, () => pool.map((question) => question.question_id)).flat()
          assert.deepStrictEqual([...batch.questions, ...drawn].toSorted(), [...all, ...unscored].toSorted())
        }
      )

      lawOf(
        "nothing is lost over a run that learns: drawn once, and once more for each time that it was unscored",
        [pools, sizes, seeds],
        ([pool, size, seed]) => {
          const { batches } = learn(batcher, begin(pool, size, seed), most, seed)
          const back = batches.flatMap((batch) =>
            outcomesOf(batch, seed)
              .filter(({ scored }) => scored === 0)
              .map(({ question_id }) => question_id)
          )
          const all = Array.from({ length: passes }, () => pool.map((question) => question.question_id)).flat()
          assert.deepStrictEqual(ids(batches).toSorted(), [...all, ...back].toSorted())
        }
      )

      lawOf(
        "batches are full and numbered from 1; a last one is partial or dropped",
        [pools, sizes, seeds],
        ([pool, size, seed]) => {
          const full = Math.floor(pool.length / size)
          const partial = pool.length % size
          const sizesOf = (rule: "partial" | "drop"): Array<number> =>
            drawAll(batcher, begin(pool, size, seed, rule)).batches.map((batch) => batch.questions.length)
          const whole = Array.from({ length: full }, () => size)
          const expected = partial > 0 ? [...whole, partial] : whole
          const times = (of: ReadonlyArray<number>): Array<number> => Array.from({ length: passes }, () => of).flat()
          assert.deepStrictEqual(sizesOf("drop"), times(whole))
          assert.deepStrictEqual(sizesOf("partial"), times(expected))
          const numbers = drawAll(batcher, begin(pool, size, seed)).batches.map((batch) => batch.batch)
          assert.deepStrictEqual(
            numbers,
            numbers.map((_, i) => i + 1)
          )
        }
      )
    } else {
      lawOf(
        "batches are full, or the whole pool where that is smaller",
        [pools, sizes, seeds],
        ([pool, size, seed]) => {
          const { batches } = learn(batcher, begin(pool, size, seed), 10, seed)
          const expected = pool.length === 0 ? 0 : 10
          assert.deepStrictEqual(
            batches.map((batch) => batch.questions.length),
            Array.from({ length: expected }, () => Math.min(size, pool.length))
          )
        }
      )

      it("nobody starves: every question is drawn within the patience of the suite", () => {
        const pool = poolOf([4, 9, 2, 7, 5, 3, 8, 6, 4], 8)
        const steps = (law.patience ?? 40) * Math.ceil(pool.length / 6)
        const seen = new Set(ids(learn(batcher, begin(pool, 6, 3), steps, 5).batches))
        assert.strictEqual(seen.size, pool.length)
      })
    }

    lawOf("determinism: the order of the rows changes nothing", [pools, sizes, seeds], ([pool, size, seed]) => {
      const turned = Seed.stream(Seed.child(Seed.root(seed), "rows")).shuffle([...pool])
      assert.deepStrictEqual(
        learn(batcher, begin(turned, size, seed), 8, seed).batches,
        learn(batcher, begin(pool, size, seed), 8, seed).batches
      )
    })

    lawOf("the achieved mean is that of the questions drawn", [pools, sizes, seeds], ([pool, size, seed]) => {
      const rate = new Map(pool.map((question) => [question.question_id, question.passed / question.scored]))
      for (const batch of drawAll(batcher, begin(pool, size, seed), 20).batches) {
        const mean = batch.questions.reduce((sum, id) => sum + (rate.get(id) ?? NaN), 0) / batch.questions.length
        assert.closeTo(batch.achievedMean, mean, 1e-12)
      }
    })

    lawOf("a target is a distribution", [pools, sizes, seeds], ([pool, size, seed]) => {
      const state = learn(batcher, begin(pool, size, seed), 2, seed).end
      const target = batcher.target(state)
      if (target === null) return
      assert.isDefined(batcher.draw(state))
      assert.strictEqual(target.rates.length, target.shares.length)
      assert.closeTo(
        Array.from(target.shares).reduce((sum, share) => sum + share, 0),
        1,
        1e-9
      )
    })

    it("seeds that differ give orders that differ", () => {
      const pool = poolOf([50, 50], 2)
      const order = (seed: number): ReadonlyArray<string> => ids(drawAll(batcher, begin(pool, 10, seed), 10).batches)
      assert.deepStrictEqual(order(1), order(1))
      assert.notDeepEqual(order(1), order(2))
    })

    it("an empty pool gives no batch, and one level and a batch larger than the pool give one", () => {
      assert.isUndefined(batcher.draw(begin([], 4, 1)))
      assert.isNull(batcher.target(begin([], 4, 1)))
      const one = poolOf([0, 3], 4)
      assert.deepStrictEqual(
        batcher.draw(begin(one, 100, 1))?.[0].questions.toSorted(),
        one.map((question) => question.question_id)
      )
    })

    it("refuses an id that occurs twice and a question without a pass rate, by name and row", () => {
      const refused = (pool: ReadonlyArray<RatedQuestion>): PoolInvalid => {
        try {
          begin(pool, 2, 0)
        } catch (error) {
          assert.instanceOf(error, PoolInvalid)
          return error as PoolInvalid
        }
        return assert.fail("the pool was taken")
      }
      const twice = [...poolOf([2], 4), { question_id: "0/1", passed: 1, scored: 4 }]
      assert.deepInclude({ ...refused(twice) }, { question_id: "0/1", row: 3 })
      assert.include(refused(twice).message, "row 2 has the id already")
      const good = { question_id: "a", passed: 1, scored: 2 }
      for (const bad of [
        { passed: 0, scored: 0 },
        { passed: 3, scored: 2 },
        { passed: -1, scored: 2 },
        { passed: NaN, scored: 2 },
        { passed: 0.5, scored: 1 },
        { passed: 1, scored: Infinity }
      ]) {
        assert.deepInclude({ ...refused([good, { question_id: "x", ...bad }]) }, { question_id: "x", row: 2 })
      }
      assert.deepInclude({ ...refused([good, { question_id: "", passed: 0, scored: 1 }]) }, { row: 2 })
    })

    it("refuses a batch of no questions, by the key of the manifest", () => {
      assert.throws(() => begin(poolOf([2], 4), 0, 0), "train.prompts_per_step")
      assert.throws(() => begin(poolOf([2], 4), NaN, 0), "train.prompts_per_step")
    })
  })
}
