/** Whether a cell's summary is the cell's, and agrees with itself: all that can be said where the run is not here. Pure. */
import type { CellResult } from "@gradus/domain/CellResult"
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import { identity } from "@gradus/manifest/Resolve"
import type { Cell } from "./Cell.ts"
import { type Change, changes } from "./Change.ts"

const spent = ({ steps, tokens, updates }: Pick<CellResult, "steps" | "tokens" | "updates">): string =>
  `${steps} steps, ${tokens} tokens, ${updates} updates`

/** What a summary says of each set's last reading, which is taken after the last step. */
const lastReadings = ({ curve }: CellResult): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...Map.groupBy(curve, ({ set }) => set)].map(([set, points]) => {
      const { step: steps, tokens, updates } = points.reduce((last, point) => (point.step > last.step ? point : last))
      return [`last reading of ${set} in the summary`, spent({ steps, tokens, updates })]
    })
  )

/** Compares a summary with the planned cell and with itself. */
export const checkSummary = (cell: Cell, manifest: Manifest, result: CellResult): ReadonlyArray<Change> => {
  const found = {
    "summary's manifest": result.manifest_digest,
    "summary's dataset": result.dataset_digest,
    "summary's seed": String(result.seed),
    "steps with a reward in the summary": String(result.reward.length),
    "steps with silent groups in the summary": String(result.silent.length),
    ...lastReadings(result)
  }
  const steps = String(result.steps)
  const expected = {
    ...Object.fromEntries(Object.keys(lastReadings(result)).map((what) => [what, spent(result)])),
    "summary's manifest": identity(manifest),
    "summary's dataset": cell.dataset_digest,
    "summary's seed": String(cell.seed),
    "steps with a reward in the summary": steps,
    "steps with silent groups in the summary": steps
  }
  return changes(cell.id, expected, found)
}
