/** The common look of all charts: schema, size, type and lines. */
import type { TopLevelSpec } from "vega-lite"
import { ink } from "./Palette.ts"

/** Inner width and height of a chart, and the height of one panel of several, in pixels. */
export const WIDTH = 384
export const HEIGHT = 212
export const PANEL_HEIGHT = 88

const FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', Roboto, sans-serif"

const config = {
  font: FONT,
  aria: false,
  view: { stroke: null },
  concat: { spacing: 14 },
  axis: {
    domainColor: ink.axis,
    gridColor: ink.grid,
    labelColor: ink.muted,
    labelFontSize: 12.5,
    tickColor: ink.axis,
    tickSize: 4,
    titleColor: ink.muted,
    titleFontSize: 12.5,
    titleFontWeight: "normal"
  },
  axisX: { grid: false, titleAnchor: "end", titlePadding: 4 },
  axisY: { domain: false, minExtent: 34, ticks: false, tickCount: 5, title: null },
  bar: { stroke: ink.surface, strokeWidth: 0.6 },
  legend: {
    direction: "horizontal",
    labelColor: ink.ink,
    labelFontSize: 12.5,
    labelLimit: 200,
    offset: 8,
    orient: "top",
    symbolOpacity: 1,
    symbolSize: 70,
    symbolStrokeWidth: 2,
    title: null
  },
  title: {
    anchor: "start",
    color: ink.muted,
    fontSize: 12.5,
    fontWeight: "normal",
    frame: "group",
    offset: 6
  }
} as const

/** Above so many steps single marks are drawn fine, so that they do not run into each other. */
export const MANY_STEPS = 60

/** Completes the body of a spec with schema, style and padding. vega-lite's own types are of the last major version; that a spec is one is shown by compiling it. */
export const chartSpec = (body: object): TopLevelSpec =>
  ({
    $schema: "https://vega.github.io/schema/vega-lite/v5.json",
    background: ink.surface,
    padding: 6,
    ...body,
    config
  }) as unknown as TopLevelSpec

/** The x axis of charts over steps or batches. */
export const stepAxis = (title: string) =>
  ({
    field: "step",
    type: "quantitative",
    scale: { nice: false, zero: false },
    axis: { title, format: "d", tickMinStep: 1, tickCount: 8 }
  }) as const
