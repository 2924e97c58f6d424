/** The verdict: accuracy and format of every evaluation set before and after GRPO. */
import type { RunRecord } from "@gradus/domain/RunRecord"
import { ABSENT, count, percent, percentWithError, points } from "./Format.ts"
import { html, type Content, type Markup } from "./Html.ts"
import { accuracyChange, scored, type SetReadings, setReadings } from "./Readings.ts"
import { unscoredCounts } from "./Unscored.ts"

/** Writes cards with the change of each set, the table behind them, and the number of unscored samples. */
export const verdictSection = (record: RunRecord): Markup => {
  const sets = setReadings(record)
  return html`<section aria-labelledby="verdict">
    <h2 id="verdict">Before and after</h2>
    ${
      sets.length === 0
        ? html`<p class="quiet">No evaluation set has been read yet.</p>`
        : [html`<div class="verdicts">${sets.map(card)}</div>`, table(sets)]
    }
    ${unscoredLine(record)}
  </section>`
}

const card = (readings: SetReadings): Markup => {
  const { compared, first, last, set } = readings
  const change = accuracyChange(readings)
  const from = compared && html`<span class="from">${percent(first.accuracy)} → </span>`
  return html`<div class="card">
    <h3>${set}</h3>
    <span class="value">${from}${percent(last.accuracy)}</span>
    <span class="quiet"
      >${change === null ? "accuracy, one reading" : changeText(change)}<br />format
      ${compared && `${percent(first.format)} → `}${percent(last.format)}</span
    >
  </div>`
}

const changeText = ({ difference, error }: { readonly difference: number; readonly error: number | null }): string =>
  `accuracy ${points(difference)}${error === null ? "" : ` ± ${(error * 100).toFixed(1)}`} points`

const table = (sets: ReadonlyArray<SetReadings>): Markup =>
  html`<table class="stack">
    <caption>
      Sampled accuracy ± one binomial standard error, as if all samples were independent; several samples of one
      question are not, so the true error is somewhat larger.
    </caption>
    <thead>
      <tr>
        <th scope="col">Set</th>
        ${COLUMNS.map((name) => html`<th scope="col" class="number">${name}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${sets.map(row)}
    </tbody>
  </table>`

const COLUMNS = [
  "Accuracy before",
  "Accuracy after",
  "Change, points",
  "Format before",
  "Format after",
  "Samples",
  "Unscored"
] as const

const row = (readings: SetReadings): Markup => {
  const { compared, first, last, set } = readings
  const change = accuracyChange(readings)
  const cells: ReadonlyArray<Content> = [
    compared ? percentWithError(first.accuracy, scored(first)) : ABSENT,
    percentWithError(last.accuracy, scored(last)),
    change === null ? ABSENT : points(change.difference),
    compared ? percent(first.format) : ABSENT,
    percent(last.format),
    count(last.samples),
    compared ? `${first.unscored} / ${last.unscored}` : String(last.unscored)
  ]
  return html`<tr>
    <th scope="row">${set}</th>
    ${cells.map((cell, index) => html`<td class="number" data-label="${COLUMNS[index]}">${cell}</td>`)}
  </tr>`
}

const unscoredLine = (record: RunRecord): Markup => {
  const { evaluation, profile, total, training } = unscoredCounts(record)
  return html`<p class="quiet" id="unscored">
    Unscored samples: ${count(total)} (profile ${count(profile)}, training ${count(training)}, evaluation
    ${count(evaluation)}). They count neither as right nor as wrong.
  </p>`
}
