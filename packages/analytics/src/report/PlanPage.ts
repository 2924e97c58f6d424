/** The page of plans: what they come to side by side, then each one's warnings, charts and pools. */
import type { PlanPoolRow, PlanSummary } from "@gradus/domain/PlanReport"
import type { Figure } from "../Figures.ts"
import type { DrawnPlan } from "../PlanReportPage.ts"
import { figureGrid } from "./FiguresSection.ts"
import { html, type Content, type Markup } from "./Html.ts"
import { shell } from "./Shell.ts"

const NONE = "–"

/** A figure that stands alone in its row does not grow to the width of the page. */
const ALONE = ".figure { max-width: 40rem; }"

const percent = (value: number | null): string => (value === null ? NONE : `${(value * 100).toFixed(1)} %`)
const three = (value: number | null): string => (value === null ? NONE : value.toFixed(3))

const summaryCells = (summary: PlanSummary): ReadonlyArray<readonly [string, Content]> => [
  ["Batches", summary.batches],
  ["Questions", summary.questions],
  ["Mean pass rate, first batch", percent(summary.first_mean)],
  ["last batch", percent(summary.last_mean)],
  ["Fill", percent(summary.fill_share)],
  ["Mostly fill from batch", summary.mostly_fill_from ?? "never"],
  ["Distance to target", three(summary.distance)],
  ["Order", three(summary.order)],
  ["Silent groups expected", percent(summary.silent_share)]
]

const summaryTable = (plans: ReadonlyArray<DrawnPlan>): Markup => {
  const [first] = plans
  return html`<table class="stack">
    <caption>
      Distance: Wasserstein-1 in pass rate, how far a question stands off its target on average. Order: Spearman’s
      correlation of batch and mean pass rate, −1 where it falls throughout. Silent groups: all right or all wrong,
      which teach nothing.
    </caption>
    <thead>
      <tr>
        <th scope="col">Curriculum</th>
        ${(first === undefined ? [] : summaryCells(first.summary)).map(
          ([name]) => html`<th scope="col" class="number">${name}</th>`
        )}
      </tr>
    </thead>
    <tbody>
      ${plans.map(
        ({ summary }) =>
          html`<tr>
            <th scope="row">${summary.name}</th>
            ${summaryCells(summary).map(([name, value]) => html`<td class="number" data-label="${name}">${value}</td>`)}
          </tr>`
      )}
    </tbody>
  </table>`
}

/** Pools that a table shows; more are in the JSON beside the page. */
const SHOWN = 64

const poolCells = (pool: PlanPoolRow): ReadonlyArray<readonly [string, Content]> => [
  ["Questions", pool.questions],
  ["First drawn in batch", pool.first_batch ?? "never"],
  ["Dry after batch", pool.dry_after ?? NONE],
  ["Left", pool.left]
]

const poolRow = (pool: PlanPoolRow): Markup =>
  html`<tr>
    <th scope="row">${percent(pool.rate)}${pool.domain !== "" && `, ${pool.domain}`}</th>
    ${poolCells(pool).map(([name, value]) => html`<td class="number" data-label="${name}">${value}</td>`)}
  </tr>`

const poolsTable = (pools: ReadonlyArray<PlanPoolRow>): Markup => {
  const [first] = pools
  const more = pools.length - SHOWN
  return html`<table class="stack">
    <caption>
      When each pool runs dry.${more > 0 && ` ${more} more pools are in the JSON beside this page.`}
    </caption>
    <thead>
      <tr>
        <th scope="col">Pass rate</th>
        ${(first === undefined ? [] : poolCells(first)).map(([name]) => html`<th scope="col" class="number">${name}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${pools.slice(0, SHOWN).map(poolRow)}
    </tbody>
  </table>`
}

const warnings = (lines: ReadonlyArray<string>): Content =>
  lines.length > 0 &&
  html`<aside class="note" aria-label="Warnings">${lines.map((line) => html`<p>${line}</p>`)}</aside>`

const planSection = ({ figures, report }: DrawnPlan): Markup =>
  html`<section>
    <h2>${report.name}</h2>
    ${warnings(report.warnings)} ${figureGrid(figures)} ${poolsTable(report.pools)}
  </section>`

/** Writes the page. Figures of several plans have names of their own: they become ids. */
export const planPage = (plans: ReadonlyArray<DrawnPlan>, shared: ReadonlyArray<Figure>): string => {
  const names = plans.map(({ report }) => report.name).join(", ")
  return shell({
    title: html`Gradus plan: ${names}`,
    style: ALONE,
    body: html`<header>
        <p class="kicker">Gradus plan</p>
        <h1>${plans.length === 1 ? names : `${plans.length} curricula on one pool`}</h1>
        <p class="lead">Every batch before any of them is trained on; pass rates are those of the profile.</p>
      </header>
      <main>${summaryTable(plans)} ${shared.length > 0 && figureGrid(shared)} ${plans.map(planSection)}</main>
      <footer>
        Made by <code>gradus plan</code>; beside this page are the figures as vega-lite specs, SVG and PNG, the reports
        as JSON, and each plan as Parquet.
      </footer>`
  })
}
