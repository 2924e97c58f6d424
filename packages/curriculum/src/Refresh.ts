/**
 * Refreshing a curriculum: when to profile the rest of the pool again with the current policy, and what has really changed since. Pure: readings in,
 * decisions out. What is left is served by a course that begins anew (experiment/Course).
 */
import type { RefreshSpec } from "@gradus/domain/manifest/Curriculum"
import type { Profiled } from "./Filter.ts"

/** A reading of progress: the accuracy on an evaluation set, or the reward, after a step. */
export interface Reading {
  readonly step: number
  readonly value: number | null
}

export interface RefreshDecision {
  readonly refresh: boolean
  /** In words, with the figures that decided. */
  readonly reason: string
}

const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0) / values.length

/**
 * Decides whether to refresh after `step`. `every`: at each multiple of its steps. `plateau`: when the mean of the last `window` readings is less than
 * `min_gain` above that of the window before, and at least `cooldown` steps have passed since the last refresh. Readings from before the last
 * refresh do not count: the curve starts anew with another plan. A null reading is none.
 */
export const decideRefresh = (
  spec: RefreshSpec,
  step: number,
  readings: ReadonlyArray<Reading>,
  lastRefresh = 0
): RefreshDecision => {
  if (spec.rule === "every") {
    const due = step > lastRefresh && step % spec.steps === 0
    return { refresh: due, reason: `step ${step} is ${due ? "" : "not "}a multiple of ${spec.steps}` }
  }
  const since = step - lastRefresh
  if (since < spec.cooldown) {
    return { refresh: false, reason: `${since} of ${spec.cooldown} steps have passed since the last refresh` }
  }
  const values = readings
    .filter((reading) => reading.step > lastRefresh && reading.step <= step)
    .toSorted((a, b) => a.step - b.step)
    .flatMap(({ value }) => (value === null ? [] : [value]))
  if (values.length < 2 * spec.window) {
    return { refresh: false, reason: `${values.length} of the ${2 * spec.window} readings that are compared are there` }
  }
  const last = mean(values.slice(-spec.window))
  const before = mean(values.slice(-2 * spec.window, -spec.window))
  const gain = last - before
  const words = `the last ${spec.window} readings are ${last.toFixed(3)}, those before ${before.toFixed(3)}`
  return gain < spec.min_gain
    ? { refresh: true, reason: `a plateau: ${words}, a gain of ${gain.toFixed(3)} below ${spec.min_gain}` }
    : { refresh: false, reason: `progress: ${words}` }
}

export interface Change {
  readonly compared: number
  readonly before: number | null
  readonly after: number | null
  /** Mean of after minus before. */
  readonly change: number | null
  /**
   * Of the questions measured below the pool's mean: how much their mean rises by nothing but being measured again. Extreme rates of few samples are
   * partly luck: with prior Beta(a, b) of the pool the expected second rate is (a + passed) / (a + b + scored).
   */
  readonly expected_by_regression: number | null
  /** The same questions' rise that was measured. */
  readonly measured_low: number | null
  /** measured_low less expected_by_regression: what the policy has really learnt on them. */
  readonly beyond_regression: number | null
}

/**
 * Fits a Beta prior to the pool by moments: the spread of rates between questions less what sampling alone would give. A pool whose rates vary no
 * more than sampling explains gets a very narrow prior.
 */
export const poolPrior = (rows: ReadonlyArray<Profiled>): readonly [a: number, b: number] => {
  const scored = rows.filter((row) => row.scored > 0)
  if (scored.length < 2) return [1, 1]
  const rates = scored.map((row) => row.passed / row.scored)
  const m = mean(rates)
  if (m <= 0 || m >= 1) return [1, 1]
  const spread = rates.reduce((sum, rate) => sum + (rate - m) ** 2, 0) / (rates.length - 1)
  const inverse = mean(scored.map((row) => 1 / row.scored))
  // Var(k / n) = m (1 - m) / n + (1 - 1 / n) tau^2, where tau^2 is the variance of the true rates.
  const between = (spread - m * (1 - m) * inverse) / Math.max(1e-9, 1 - inverse)
  const limited = Math.min(Math.max(between, 1e-4), 0.999 * m * (1 - m))
  const strength = (m * (1 - m)) / limited - 1
  return [m * strength, (1 - m) * strength]
}

/** Compares a profile with a later one, question by question, and says how much of the rise of the hard ones is regression to the mean. */
export const changeBetween = (before: ReadonlyArray<Profiled>, after: ReadonlyArray<Profiled>): Change => {
  const later = new Map(after.map((row) => [row.question_id, row]))
  const pairs = before.flatMap((row) => {
    const other = later.get(row.question_id)
    return other === undefined || other.scored === 0 || row.scored === 0 ? [] : [{ row, other }]
  })
  if (pairs.length === 0) {
    return {
      compared: 0,
      before: null,
      after: null,
      change: null,
      expected_by_regression: null,
      measured_low: null,
      beyond_regression: null
    }
  }
  const rate = ({ passed, scored }: Profiled): number => passed / scored
  const first = mean(pairs.map(({ row }) => rate(row)))
  const second = mean(pairs.map(({ other }) => rate(other)))
  const [a, b] = poolPrior(pairs.map(({ row }) => row))
  const low = pairs.filter(({ row }) => rate(row) < first)
  const expected = low.map(({ row }) => (a + row.passed) / (a + b + row.scored) - rate(row))
  const measured = low.map(({ other, row }) => rate(other) - rate(row))
  const [byRegression, rise] = low.length === 0 ? [null, null] : [mean(expected), mean(measured)]
  return {
    compared: pairs.length,
    before: first,
    after: second,
    change: second - first,
    expected_by_regression: byRegression,
    measured_low: rise,
    beyond_regression: byRegression === null || rise === null ? null : rise - byRegression
  }
}
