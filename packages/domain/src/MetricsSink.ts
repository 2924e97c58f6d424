/** Where rows of metrics.ndjson go besides the file. Nothing in a run waits for it or depends on it. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { MetricsRow } from "./Metrics.ts"

/** Takes rows that have just been written; nobody listens unless an application provides it. */
export const MetricsSink = Context.Reference<(rows: ReadonlyArray<MetricsRow>) => Effect.Effect<void>>(
  "@gradus/domain/MetricsSink",
  { defaultValue: () => () => Effect.void }
)
