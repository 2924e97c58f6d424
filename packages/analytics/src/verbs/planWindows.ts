/** Verb: puts the batches of a long plan into windows, so that a figure has no more columns than can be seen. */
import { type ColumnTable, escape, op } from "arquero"

/** Columns of a figure at most. */
export const MOST_COLUMNS = 120

/** Counts the batches of a window. */
export const windowOf = (batches: number): number => Math.max(1, Math.ceil(batches / MOST_COLUMNS))

/**
 * Turns the draws of a plan (`batch`, `rate`, `drawn`, `left`) into `from` and `to` (first and last batch of a window), `rate`, `drawn` (in the window), `share`
 * (of the window's questions) and `left` (after its last batch), by windows of `window` batches.
 */
export const planWindows =
  (window: number) =>
  (draws: ColumnTable): ColumnTable =>
    draws
      .derive({ from: escape(({ batch }: Row) => Math.floor((batch - 1) / window) * window + 1) })
      .groupby("from", "rate")
      .rollup({ to: op.max("batch"), drawn: op.sum("drawn"), left: op.min("left") })
      .groupby("from")
      .derive({ all: op.sum("drawn") })
      .ungroup()
      .derive({ share: escape(({ all, drawn }: Window) => (all === 0 ? 0 : drawn / all)) })
      .select("from", "to", "rate", "drawn", "share", "left")
      .orderby("from", "rate")
      .reify()

interface Row {
  readonly batch: number
}
interface Window {
  readonly drawn: number
  readonly all: number
}
