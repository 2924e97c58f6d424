/** Where the time of a run went, by stage and by phase of the GRPO steps. */
import type { RunRecord } from "@gradus/domain/RunRecord"
import { escape } from "arquero"
import { rowsOf, timingsTable } from "../Tables.ts"
import { lastAttempt } from "../verbs/lastAttempt.ts"
import { phaseShares } from "../verbs/phaseShares.ts"
import { secondsBy } from "../verbs/secondsBy.ts"
import { duration, percent } from "./Format.ts"
import { html, type Markup } from "./Html.ts"

interface Row {
  readonly stage: string
  readonly phase: string
  readonly seconds: number
}

/** Writes both tables; nothing when no time was measured. */
export const timesSection = (record: Pick<RunRecord, "timings">): Markup | null => {
  // the time of the whole run is not the time of a stage
  const timings = record.timings.filter((row) => row.seconds["run"] === undefined)
  const shares = phaseShares(lastAttempt(timingsTable({ timings })))
  if (shares.numRows() === 0) return null
  const stages = rowsOf<Row>(secondsBy("stage")(shares))
  const phases = rowsOf<Row>(secondsBy("phase")(shares.filter(escape((row: Row) => row.stage === "train"))))
  return html`<section aria-labelledby="times">
    <h2 id="times">Times</h2>
    <div class="columns">
      ${table(
        "By stage",
        stages.map(({ seconds, stage }) => ({ name: stage, seconds }))
      )}
      ${
        phases.length > 0 &&
        table(
          "GRPO steps, by phase",
          phases.map(({ phase, seconds }) => ({ name: phase, seconds }))
        )
      }
    </div>
  </section>`
}

const table = (caption: string, rows: ReadonlyArray<{ readonly name: string; readonly seconds: number }>): Markup => {
  const total = rows.reduce((sum, { seconds }) => sum + seconds, 0)
  return html`<table>
    <caption>
      ${caption}: ${duration(total)}
    </caption>
    <tbody>
      ${rows.map(
        ({ name, seconds }) =>
          html`<tr>
            <th scope="row">${name.replaceAll("_", " ")}</th>
            <td class="number">${duration(seconds)}</td>
            <td class="number">${percent(total > 0 ? seconds / total : null)}</td>
          </tr> `
      )}
    </tbody>
  </table>`
}
