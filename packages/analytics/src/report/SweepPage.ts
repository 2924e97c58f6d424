/** The report of a sweep: arms, paired differences and charts in one self-contained page, no script and no network. */
import type { Figure } from "../Figures.ts"
import type { Comparison } from "../sweep/compareArms.ts"
import type { SweepRecord } from "../sweep/SweepRecord.ts"
import { figuresSection } from "./FiguresSection.ts"
import { html, type Markup } from "./Html.ts"
import { shell } from "./Shell.ts"
import { type ArmTable, armTable, differenceTable, sweepNotes } from "./SweepRows.ts"

const table = ({ caption, columns, rows }: ArmTable): Markup =>
  html`<table class="stack">
    <caption>
      ${caption}
    </caption>
    <thead>
      <tr>
        <th scope="col">Arm</th>
        ${columns.map((name) => html`<th scope="col" class="number">${name}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        ({ arm, cells }) =>
          html`<tr>
            <th scope="row">${arm}</th>
            ${cells.map((cell, i) => html`<td class="number" data-label="${columns[i]}">${cell}</td>`)}
          </tr> `
      )}
    </tbody>
  </table>`

/** Writes the page. It depends on its arguments alone: equal ones give equal bytes. */
export const sweepPage = (record: SweepRecord, comparison: Comparison, figures: ReadonlyArray<Figure>): string => {
  const { metric } = comparison
  return shell({
    title: html`${record.name}: Gradus sweep report`,
    body: html`<header>
        <p class="kicker">Gradus sweep report</p>
        <h1>${record.name}</h1>
        ${record.description !== undefined && html`<p class="lead">${record.description}</p>`}
        <dl class="facts">
          <div>
            <dt>Cells</dt>
            <dd>${record.cells.length} of ${record.planned}</dd>
          </div>
          <div>
            <dt>Baseline</dt>
            <dd>${record.baseline}</dd>
          </div>
          <div>
            <dt>Metric</dt>
            <dd>accuracy of ${metric}</dd>
          </div>
          ${
            record.digest !== undefined &&
            html`<div>
              <dt>Plan</dt>
              <dd><code>${record.digest.slice(0, 16)}</code></dd>
            </div>`
          }
        </dl>
        <aside class="note" aria-label="How to read this report">
          ${sweepNotes(record, comparison).map((line) => html`<p>${line}</p>`)}
        </aside>
      </header>
      <main>
        <section aria-labelledby="differences">
          <h2 id="differences">Against ${record.baseline}</h2>
          ${table(differenceTable(comparison))}
        </section>
        <section aria-labelledby="arms">
          <h2 id="arms">Arms</h2>
          ${table(armTable(comparison))}
        </section>
        ${figuresSection(figures)}
      </main>
      <footer>
        Made by Gradus from the summaries of finished cells; the figures are beside it as vega-lite specs and SVG.
      </footer>`
  })
}
