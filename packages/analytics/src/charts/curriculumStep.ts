/** Chart: one batch of the curriculum over the pool: what it aimed at, and what it held. */
import type { RunRecord } from "@gradus/domain/RunRecord"
import type { TopLevelSpec } from "vega-lite"
import { chartSpec, HEIGHT, WIDTH } from "../ChartStyle.ts"
import { ink } from "../Palette.ts"

const POOL = "kept questions"
const BATCH = "this batch"
const TARGET = "target"

interface Share {
  readonly rate: number
  readonly share: number
  readonly part: string
}

/** Shares by pass rate; equal rates are one. */
const sharesOf = (rates: ReadonlyArray<number>, part: string): ReadonlyArray<Share> =>
  [...Map.groupBy(rates, (rate) => rate)]
    .map(([rate, own]) => ({ rate, share: own.length / rates.length, part }))
    .toSorted((a, b) => a.rate - b.rate)

/** The Gaussian at the pool's rates, as shares: what the batcher aims at before pools run dry. */
const targetShares = (levels: ReadonlyArray<number>, centre: number, sigma: number): ReadonlyArray<Share> => {
  const weights = levels.map((rate) => Math.exp(-((rate - centre) ** 2) / (2 * sigma ** 2)))
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return levels.map((rate, i) => ({ rate, share: (weights[i] ?? 0) / sum, part: TARGET }))
}

/** Draws the batch of a step (from 1). Returns null where there is no such batch, or no profile to place it on. */
export const curriculumStep = (
  record: Pick<RunRecord, "manifest" | "plan" | "profile">,
  step: number
): TopLevelSpec | null => {
  const batch = record.plan[step - 1]
  const rates = new Map(record.profile.flatMap((row) => (row.rate === null ? [] : [[row.question_id, row.rate]])))
  const { curriculum, filter } = record.manifest
  const kept = [...rates.values()].filter((rate) => rate < filter.drop_at)
  if (batch === undefined || kept.length === 0) return null
  const pool = sharesOf(kept, POOL)
  const drawn = sharesOf(
    batch.questions.flatMap((id) => rates.get(id) ?? []),
    BATCH
  )
  const sigma = curriculum.batcher === "gaussian" ? curriculum.sigma : undefined
  const target =
    sigma === undefined || batch.targetMean === null
      ? []
      : targetShares(
          pool.map(({ rate }) => rate),
          batch.targetMean,
          sigma
        )
  const width = Math.max(3, Math.min(22, WIDTH / (2.4 * pool.length)))
  return chartSpec({
    title: `share of questions, step ${batch.batch}`,
    width: WIDTH,
    height: HEIGHT,
    encoding: {
      x: {
        field: "rate",
        type: "quantitative",
        scale: { domain: [-0.06, 1.06], nice: false },
        axis: { title: "pass rate", format: ".0%", values: [0, 0.25, 0.5, 0.75, 1] }
      },
      y: { field: "share", type: "quantitative", axis: { format: ".0%" } },
      color: {
        field: "part",
        type: "nominal",
        scale: { domain: [POOL, BATCH, TARGET], range: [ink.axis, ink.blue, ink.orange] },
        legend: { symbolType: "square" }
      }
    },
    layer: [
      { data: { values: pool }, mark: { type: "bar", size: width * 2, opacity: 0.55, tooltip: true } },
      { data: { values: drawn }, mark: { type: "bar", size: width, tooltip: true } },
      { data: { values: target }, mark: { type: "line", point: { filled: true, size: 30 }, strokeWidth: 2 } }
    ]
  })
}
