/** A made-up sweep of four arms and five seeds: "strong" is ten points above the baseline, "costly" spends twice the tokens, "short" has two seeds. */
import type { CellResult, CurvePoint } from "@gradus/domain/CellResult"
import type { SweepRecord } from "../../src/sweep/SweepRecord.ts"

const STEPS = [0, 10, 20, 30, 40, 50]

/** Differs from arm to arm, so that pairs differ by more than their arms' gain. */
const noise = (seed: number, step: number, gain: number): number =>
  (((seed * 37 + step * 11 + seed * Math.round(gain * 1000 + 200)) % 17) - 8) / 400

export const cell = (seed: number, gain: number, perStep: number, start = `start-${seed}`): CellResult => {
  const curve = STEPS.map((step): CurvePoint => {
    const rise = 1 - Math.exp(-step / 18)
    const accuracy =
      Math.round(1e6 * (0.3 + 0.4 * rise + gain * rise + 0.02 * (seed - 3) + noise(seed, step, gain))) / 1e6
    return { set: "heldout", step, accuracy, samples: 200, unscored: 0, tokens: step * perStep, updates: step }
  })
  return {
    format: 1,
    cell: `${seed}/${gain}/${perStep}`,
    seed,
    manifest_digest: "m",
    dataset_digest: "d",
    start,
    digest: { plan: "p", metrics: "q", weights: "w" },
    steps: 50,
    updates: 50,
    tokens: 50 * perStep,
    seconds: 10,
    drawn: 1600,
    distinct: gain === 0 ? 1600 : 800,
    curve: [
      ...curve,
      ...[0, 50].map((step) => ({ ...curve[0]!, set: "hard", step, accuracy: step / 100, updates: step }))
    ],
    reward: STEPS.map((step) => 0.3 + step / 100),
    silent: STEPS.map(() => 0.25),
    stages: { train: "bitwise" }
  }
}

const seeds = [1, 2, 3, 4, 5]

export const sweepFixture = (over: Partial<SweepRecord> = {}): SweepRecord => ({
  name: "orders",
  digest: "0123456789abcdef".repeat(4),
  arms: ["gaussian", "strong", "costly", "short"],
  baseline: "gaussian",
  batchers: { gaussian: "gaussian", strong: "uniform", costly: "balanced", short: "gaussian" },
  metric: { set: "heldout", target: 0.6 },
  resamples: 500,
  planned: 20,
  failed: 1,
  stopped: 0,
  cells: [
    ...seeds.map((seed) => ({ arm: "gaussian", result: cell(seed, 0, 1000) })),
    ...seeds.map((seed) => ({ arm: "strong", result: cell(seed, 0.1, 1000) })),
    ...seeds.map((seed) => ({ arm: "costly", result: cell(seed, 0.05, 2000) })),
    ...seeds.slice(0, 2).map((seed) => ({ arm: "short", result: cell(seed, -0.05, 1000) }))
  ],
  ...over
})
