/** Chart: the rewards of several runs over their steps, one line a run. Runs are not averaged: seeds have their own chart. */
import type { RunRecord } from "@gradus/domain/RunRecord"
import type { TopLevelSpec } from "vega-lite"
import { lineChart, type Point } from "../LinePanel.ts"
import { metricPoints } from "../MetricPanel.ts"
import { seriesColours } from "../Palette.ts"

/** Draws the runs that have a reward; null where none has. */
export const rewardOfRuns = (records: ReadonlyArray<RunRecord>): TopLevelSpec | null => {
  const points: ReadonlyArray<Point> = records.flatMap((record) =>
    metricPoints(record, "train", [{ metric: "reward", label: record.run }])
  )
  if (points.length === 0) return null
  return lineChart(
    [
      {
        title: "mean reward",
        points,
        series: records.map(({ run }, i) => ({
          label: run,
          colour: seriesColours[i % seriesColours.length] ?? "#6e7884"
        })),
        format: ".2f"
      }
    ],
    "step"
  )
}
