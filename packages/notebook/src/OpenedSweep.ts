/** A sweep's directory as a notebook has it: the record of its finished cells, the comparison of its arms, and both as tables. */
import { columnsOf } from "@gradus/analytics/Tables"
import { type ArmSummary, compareArms, type Comparison } from "@gradus/analytics/sweep/compareArms"
import type { SweepRecord } from "@gradus/analytics/sweep/SweepRecord"
import { readJson } from "@gradus/experiment/AtomicFile"
import { cardOf } from "@gradus/sweep/Card"
import { PlanFile } from "@gradus/sweep/Cell"
import { sweepView } from "@gradus/sweep/ListSweeps"
import { sweepPlace } from "@gradus/sweep/Place"
import { sweepRecord } from "@gradus/sweep/Report"
import type { ColumnTable } from "arquero"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"

/** Another comparison than the sweep's own file asks for (sweep.json has what that says). */
export interface SweepOptions {
  /** The arm that others are compared with. */
  readonly baseline?: string
  /** The evaluation set that is compared. */
  readonly set?: string
  /** An accuracy whose cost is asked for. */
  readonly target?: number
  /** Folder of the cells' summaries, where it has moved since. */
  readonly results?: string
}

export interface SweepTables {
  /** True where a simulated policy answered in any of its cells. */
  readonly simulated: boolean
  readonly record: SweepRecord
  readonly comparison: Comparison
  /** One row an arm: means over seeds, bounds `low` and `high` of the last accuracy, what it spent. */
  readonly arms: ColumnTable
  /** One row an arm and way of comparing (`at`): mean paired difference, bounds, pairs won, tied and lost. */
  readonly differences: ColumnTable
  /** One row an arm and seed: the difference at equal tokens. */
  readonly seeds: ColumnTable
}

const ARM = ["arm", "seeds", "mean", "low", "high", "iqm", "area", "drawdown", "tokens", "updates", "repeats", "silent"]
const TARGET = ["reached", "tokensToTarget", "updatesToTarget"] satisfies ReadonlyArray<keyof ArmSummary>

const armsTable = ({ arms, target }: Comparison): ColumnTable =>
  columnsOf<Readonly<Record<string, unknown>>>(
    arms.map(({ interval, ...arm }) => ({ ...arm, low: interval?.low ?? null, high: interval?.high ?? null })),
    target === null ? ARM : [...ARM, ...TARGET]
  )

const differencesTable = ({ differences }: Comparison): ColumnTable =>
  columnsOf(
    differences.flatMap(({ arm, equalTokens, equalUpdates, improvement, last }) =>
      Object.entries({ "equal tokens": equalTokens, "equal updates": equalUpdates, "last step": last }).map(
        ([at, { interval, losses, mean, pairs, ties, wins }]) => ({
          arm,
          at,
          difference: mean,
          low: interval?.low ?? null,
          high: interval?.high ?? null,
          pairs,
          won: wins,
          tied: ties,
          lost: losses,
          p_above: at === "last step" ? improvement : null
        })
      )
    ),
    ["arm", "at", "difference", "low", "high", "pairs", "won", "tied", "lost", "p_above"]
  )

/** Opens a sweep's directory, which lies in `sweeps` beside the runs. */
export const openedSweep = Effect.fn("notebook.openSweep")(function* (root: string, options: SweepOptions) {
  const path = yield* Path.Path
  const runs = path.dirname(path.dirname(root))
  const own = yield* sweepPlace(runs, path.basename(root), undefined)
  const plan = yield* readJson(PlanFile, own.plan)
  const card = yield* cardOf(own, plan)
  const results = options.results === undefined ? path.resolve(own.root, card.results) : path.resolve(options.results)
  const place = yield* sweepPlace(runs, path.basename(root), results)
  const target = options.target ?? card.metric.target
  const metric = { set: options.set ?? card.metric.set, ...(target === null ? {} : { target }) }
  const question = { baseline: options.baseline ?? card.baseline, metric, resamples: card.resamples }
  const record = yield* sweepRecord(question, plan, place)
  const comparison = compareArms(record)
  const seeds = comparison.differences.flatMap(({ arm, bySeed }) => bySeed.map((one) => ({ arm, ...one })))
  const view = yield* sweepView(runs, path.basename(root))
  const tables: SweepTables = {
    simulated: Option.exists(view, ({ simulated }) => simulated),
    record,
    comparison,
    arms: armsTable(comparison),
    differences: differencesTable(comparison),
    seeds: columnsOf(seeds, ["arm", "seed", "difference"])
  }
  return tables
})
