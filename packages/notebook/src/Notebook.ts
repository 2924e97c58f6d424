/** What a notebook imports: runs and sweeps as tables, and two ways to show. A cell is the edge of a program, so here effects become promises. */
import type { Chart } from "@gradus/analytics/Chart"
import { isSimulated, marked } from "@gradus/analytics/Simulated"
import type { SweepChart } from "@gradus/analytics/sweep/SweepChart"
import type { AccuracyRule } from "@gradus/domain/manifest/Rewards"
import type { RunRecord } from "@gradus/domain/RunRecord"
import { readRun } from "@gradus/experiment/ReadRun"
import * as NodeServices from "@effect/platform-node/NodeServices"
import type { ColumnTable } from "arquero"
import * as Effect from "effect/Effect"
import type { TopLevelSpec } from "vega-lite"
import type { Cut } from "./Cells.ts"
import { rolloutsOf, verdictsOf } from "./Completions.ts"
import { type Display, kernelDisplay } from "./Display.ts"
import { drawn } from "./Drawn.ts"
import { aRun, aSweep, directoryOf } from "./Newest.ts"
import { openedSweep, type SweepOptions, type SweepTables } from "./OpenedSweep.ts"
import { factsOf, type RunTables, runTables } from "./RunTables.ts"
import { shown } from "./Shown.ts"

export interface OpenedRun extends RunTables {
  readonly directory: string
  readonly record: RunRecord
  readonly facts: Readonly<Record<string, string | number>>
  /** A chart of this run, or a spec that was made from its tables; null where it has nothing to draw. A simulation says so in each. */
  readonly spec: (chart: Chart | TopLevelSpec | null) => TopLevelSpec | null
  /** Every trained completion. */
  readonly rollouts: () => Promise<ColumnTable>
  /** Every completion that a judge was asked about, beside what an accuracy rule says of it. */
  readonly verdicts: (rule: AccuracyRule) => Promise<ColumnTable>
}

export interface OpenedSweep extends SweepTables {
  readonly directory: string
  /** A chart of this sweep; null where it has nothing to draw. A simulation says so in each. */
  readonly spec: (chart: SweepChart) => TopLevelSpec | null
}

const perform = <A, E>(effect: Effect.Effect<A, E, NodeServices.NodeServices>): Promise<A> =>
  Effect.runPromise(Effect.provide(effect, NodeServices.layer))

/** A figure of a simulation says that it is one, wherever it is copied to. */
const said = (simulated: boolean, spec: TopLevelSpec | null): TopLevelSpec | null =>
  spec === null || !simulated ? spec : marked(spec)

const isChart = (of: Chart | TopLevelSpec | null): of is Chart =>
  of !== null && "spec" in of && typeof of.spec === "function"

/** Opens a run: the directory that is named, else `GRADUS_RUN`, else the newest one in `runs`. Works on unfinished runs too. @public */
export const openRun = async (directory?: string): Promise<OpenedRun> => {
  const root = await perform(directoryOf(aRun, directory))
  const record = await perform(readRun(root))
  const simulated = isSimulated(record)
  return {
    directory: root,
    record,
    facts: factsOf(record),
    ...runTables(record),
    spec: (chart) => said(simulated, isChart(chart) ? chart.spec(record) : chart),
    rollouts: () => perform(rolloutsOf(root)),
    verdicts: (rule) => perform(verdictsOf(root, record.manifest.rewards, rule))
  }
}

/** Opens a sweep: the directory that is named, else `GRADUS_SWEEP`, else the newest one in `runs/sweeps`. @public */
export const openSweep = async (directory?: string, options: SweepOptions = {}): Promise<OpenedSweep> => {
  const root = await perform(directoryOf(aSweep, directory))
  const tables = await perform(openedSweep(root, options))
  return {
    directory: root,
    ...tables,
    spec: (chart) => said(tables.simulated, chart.spec(tables.record, tables.comparison))
  }
}

/** Shows a table, a list of objects, an object or any other value: the first 20 rows unless told. */
export const show = (value: unknown, cut: Cut = {}, display: Display = kernelDisplay): Promise<void> =>
  display(shown(value, cut))

/** Shows a vega-lite spec. */
export const chart = async (spec: TopLevelSpec | null, display: Display = kernelDisplay): Promise<void> =>
  display(await perform(drawn(spec)))
