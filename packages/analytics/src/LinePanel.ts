/** A panel of lines over steps: what most charts are made of. */
import { chartSpec, HEIGHT, MANY_STEPS, PANEL_HEIGHT, stepAxis, WIDTH } from "./ChartStyle.ts"

export interface Point {
  readonly step: number
  /** null breaks the line. */
  readonly value: number | null
  readonly series: string
}

export interface Series {
  readonly label: string
  readonly colour: string
  /** Lengths of dashes and gaps; absent: a solid line. Series must differ in more than colour. */
  readonly dash?: ReadonlyArray<number>
}

export interface LinePanel {
  /** What is measured, with its unit. */
  readonly title: string
  readonly points: ReadonlyArray<Point>
  /** Those without a point are left out. */
  readonly series: ReadonlyArray<Series>
  /** A d3 number format. */
  readonly format: string
  /** Bounds of the y axis; absent: fitted to the values. */
  readonly domain?: readonly [number, number]
}

/** Builds the vega-lite unit of a panel: lines, points on them, and a legend when there are several. */
export const linePanel = (panel: LinePanel, height: number, xTitle: string | null) => {
  const named = new Set(panel.points.map(({ series }) => series))
  const series = panel.series.filter(({ label }) => named.has(label))
  const labels = series.map(({ label }) => label)
  const steps = new Set(panel.points.map(({ step }) => step)).size
  const legend = labels.length > 1 ? { symbolType: "stroke", symbolSize: 300, columns: 3 } : null
  return {
    title: panel.title,
    width: WIDTH,
    height,
    data: { values: panel.points },
    mark: {
      type: "line",
      strokeWidth: 2,
      interpolate: "linear",
      point: { filled: true, size: steps > MANY_STEPS ? 3 : 16 }
    },
    encoding: {
      x: stepAxis(xTitle ?? ""),
      y: {
        field: "value",
        type: "quantitative",
        axis: { format: panel.format, tickCount: height > PANEL_HEIGHT ? 5 : 3 },
        scale: panel.domain === undefined ? { zero: false, nice: true } : { domain: panel.domain }
      },
      color: {
        field: "series",
        type: "nominal",
        scale: { domain: labels, range: series.map(({ colour }) => colour) },
        legend
      },
      strokeDash: {
        field: "series",
        type: "nominal",
        scale: { domain: labels, range: series.map(({ dash }) => dash ?? [1, 0]) },
        legend
      }
    }
  }
}

/** Builds a chart of panels below each other that share their steps; null when no panel has a value. */
export const lineChart = (panels: ReadonlyArray<LinePanel>, xTitle: string) => {
  const filled = panels.filter(({ points }) => points.some(({ value }) => value !== null))
  const [only] = filled
  if (only === undefined) return null
  if (filled.length === 1) return chartSpec(linePanel(only, HEIGHT, xTitle))
  return chartSpec({
    vconcat: filled.map((panel, index) => linePanel(panel, PANEL_HEIGHT, index === filled.length - 1 ? xTitle : null)),
    resolve: { scale: { color: "independent", strokeDash: "independent" } }
  })
}
