/** Metrics of a run as gauges of this process: what OTLP exporters send and Prometheus scrapes. */
import type { MetricsRow } from "@gradus/domain/Metrics"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import { spelt } from "./Names.ts"
import type { Tracker } from "./Tracker.ts"

/** Makes the tracker: each metric is a gauge `gradus_<name>` with the run as its attribute; `gradus_step` says how far training is. */
export const gauges = (): Tracker => {
  let run = ""
  const known = new Map<string, Metric.Gauge<number>>()
  const gauge = (name: string): Metric.Gauge<number> => {
    const found = known.get(name) ?? Metric.gauge(name)
    known.set(name, found)
    return found
  }
  const set = (name: string, value: number) =>
    Metric.update(Metric.withAttributes(gauge(`gradus_${name}`), { run }), value)
  return {
    name: "gauges",
    begin: (tracked) => Effect.sync(() => (run = tracked.run)),
    log: Effect.fnUntraced(function* (rows: ReadonlyArray<MetricsRow>) {
      for (const row of rows) {
        for (const [name, value] of spelt(row, "trl")) yield* set(name, value)
        if (row.stage === "train") yield* set("step", row.step)
      }
    }),
    end: Effect.void
  }
}
