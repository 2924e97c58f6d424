/**
 * Aggregates against rliable 1.2.0 (with arch < 7.3, numpy 2.4, pandas < 2.3) on two tables of 10 runs x 3 tasks. The figures are what it printed for
 * `metrics.aggregate_iqm`, `metrics.probability_of_improvement`, `create_performance_profile(…, use_score_distribution=True)` and
 * `get_interval_estimates(…, reps=50000)` with RandomState 1, 2 and 3 on the same tables.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Seed from "@gradus/domain/Seed"
import { pairedBootstrap, stratifiedBootstrap } from "../../src/statistics/bootstrap.ts"
import { interquartileMean } from "../../src/statistics/interquartileMean.ts"
import { performanceProfile } from "../../src/statistics/performanceProfile.ts"
import { probabilityOfImprovement } from "../../src/statistics/probabilityOfImprovement.ts"

const tasks = (a: number, b: number, c: number, q: number): ReadonlyArray<ReadonlyArray<number>> =>
  [0, 1, 2].map((t) => Array.from({ length: 10 }, (_, i) => ((i * a + t * b + c * i * t) % q) / q))
const x = tasks(7, 13, 3, 23)
const y = tasks(5, 11, 2, 29)

const close = (found: number | null | undefined, expected: number, within = 1e-12) =>
  assert.closeTo(found ?? Number.NaN, expected, within)

describe("against rliable", () => {
  it("the interquartile mean", () => {
    close(interquartileMean(x.flat()), 0.45108695652173914)
    close(interquartileMean(y.flat()), 0.43103448275862066)
    close(interquartileMean(x[0] ?? []), 0.4710144927536232)
    close(interquartileMean((x[0] ?? []).slice(0, 7)), 0.49565217391304345)
    assert.isNull(interquartileMean([]))
  })

  it("the probability of improvement, by task and over tasks", () => {
    const byTask = x.map((own, t) => probabilityOfImprovement(own, y[t] ?? []))
    byTask.forEach((value, t) => close(value, [0.595, 0.45, 0.53][t] ?? Number.NaN))
    close(byTask.reduce<number>((sum, value) => sum + (value ?? 0), 0) / 3, 0.525)
    assert.strictEqual(probabilityOfImprovement([1, 2], [1, 2]), 0.5)
    assert.isNull(probabilityOfImprovement([], [1]))
  })

  it("the performance profile", () => {
    const thresholds = Array.from({ length: 11 }, (_, i) => i / 10)
    const expected = [28, 26, 23, 20, 17, 14, 11, 7, 5, 2, 0].map((runs) => runs / 30)
    performanceProfile(x.flat(), thresholds)?.forEach((value, i) => close(value, expected[i] ?? Number.NaN))
    assert.isNull(performanceProfile([], thresholds))
  })

  it("stratified bootstrap intervals, as near as another stream of draws comes to them", () => {
    const options = { seed: Seed.root(5), resamples: 20_000 }
    const iqm = (strata: ReadonlyArray<ReadonlyArray<number>>) => interquartileMean(strata.flat())
    const mean = (strata: ReadonlyArray<ReadonlyArray<number>>) =>
      strata.flat().reduce((sum, value) => sum + value, 0) / strata.flat().length
    const ofIqm = stratifiedBootstrap(x, iqm, options)
    close(ofIqm?.low, 0.3152, 0.005)
    close(ofIqm?.high, 0.5897, 0.005)
    const ofMean = stratifiedBootstrap(y, mean, options)
    close(ofMean?.low, 0.3353, 0.003)
    close(ofMean?.high, 0.5295, 0.003)
  })
})

describe("bootstrap intervals", () => {
  const options = { seed: Seed.root(1), resamples: 2000 }
  const mean = (values: ReadonlyArray<number>) => (indices: ReadonlyArray<number>) =>
    indices.reduce((sum, i) => sum + (values[i] ?? 0), 0) / indices.length

  it("are the same for the same seed, and others for another", () => {
    const values = [0.1, 0.4, 0.2, 0.9, 0.5]
    const first = pairedBootstrap(5, mean(values), options)
    assert.deepStrictEqual(pairedBootstrap(5, mean(values), options), first)
    assert.notDeepEqual(pairedBootstrap(5, mean(values), { ...options, seed: Seed.root(2) }), first)
  })

  it("do not exist below three seeds", () => {
    assert.isNull(pairedBootstrap(2, mean([1, 2]), options))
    assert.isNull(
      stratifiedBootstrap(
        [
          [1, 2, 3],
          [1, 2]
        ],
        () => 0,
        options
      )
    )
    assert.deepStrictEqual(pairedBootstrap(3, mean([2, 2, 2]), options), { low: 2, high: 2 })
  })

  it("hold the mean of normal samples about as often as they say", () => {
    const covered = Array.from({ length: 200 }, (_, trial) => {
      const stream = Seed.stream(Seed.child(Seed.root(7), trial))
      const values = Array.from({ length: 20 }, () =>
        Array.from({ length: 12 }, stream.next).reduce((sum, value) => sum + value, -6)
      )
      const interval = pairedBootstrap(20, mean(values), { seed: Seed.child(Seed.root(8), trial), resamples: 400 })
      return interval !== null && interval.low <= 0 && interval.high >= 0 ? 1 : 0
    }).reduce<number>((sum, one) => sum + one, 0)
    // percentile intervals of 20 samples cover a little less than 95 %
    assert.isAbove(covered / 200, 0.87)
    assert.isBelow(covered / 200, 0.99)
  })
})
