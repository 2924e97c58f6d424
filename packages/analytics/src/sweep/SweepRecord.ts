/** What comparisons, charts and the report of a sweep are made of: arms with the summaries of their finished cells. */
import type { CellResult } from "@gradus/domain/CellResult"
import type { CurveReading } from "../statistics/learningCurve.ts"

export interface SweepCell {
  readonly arm: string
  readonly result: CellResult
}

export interface SweepRecord {
  readonly name: string
  readonly description?: string | undefined
  /** Digest of the plan; absent for runs that are compared without one. */
  readonly digest?: string | undefined
  /** Arms in the order of the plan. */
  readonly arms: ReadonlyArray<string>
  /** The arm that the others are compared with. */
  readonly baseline: string
  readonly metric: { readonly set: string; readonly target?: number | undefined }
  /** By which rule each arm orders its questions; absent where nobody knows the manifests. */
  readonly batchers?: Readonly<Record<string, string>> | undefined
  readonly resamples: number
  /** Cells of the plan, and those that failed or were ended early. */
  readonly planned: number
  readonly failed: number
  readonly stopped: number
  readonly cells: ReadonlyArray<SweepCell>
}

/** What a curve is read against. */
export type Spent = "tokens" | "updates" | "step"

/** Gives the accuracy of a set over what was spent; readings that were not scored are left out. */
export const curveOf = (result: CellResult, set: string, spent: Spent): ReadonlyArray<CurveReading> =>
  result.curve
    .filter((point) => point.set === set)
    .toSorted((a, b) => a.step - b.step)
    .flatMap((point) => (point.accuracy === null ? [] : [{ spent: point[spent], value: point.accuracy }]))

/** Gives the last accuracy of a set; null where it was not read. */
export const finalOf = (result: CellResult, set: string): number | null =>
  curveOf(result, set, "updates").at(-1)?.value ?? null

/** Gives the cells of an arm in the order of their seeds. */
export const cellsOf = (record: SweepRecord, arm: string): ReadonlyArray<CellResult> =>
  record.cells
    .filter((cell) => cell.arm === arm)
    .map(({ result }) => result)
    .toSorted((a, b) => a.seed - b.seed)
