/** Where the curriculum was begun anew: what the questions that were left did before and after, and how much of the rise is regression to the mean. */
import type { RunRecord } from "@gradus/domain/RunRecord"
import { ABSENT, count, percent, points } from "./Format.ts"
import { html, type Markup } from "./Html.ts"

type Refresh = NonNullable<RunRecord["refreshes"]>[number]

/** Writes a row a refresh; nothing when there was none. */
export const refreshSection = ({ refreshes = [] }: Pick<RunRecord, "refreshes">): Markup | null =>
  refreshes.length === 0
    ? null
    : html`<section aria-labelledby="refreshes">
        <h2 id="refreshes">Refreshes of the curriculum</h2>
        <table>
          <caption>
            Pass rates of the questions that were left, profiled again with the policy of that moment. Of the questions
            below the mean, a part of the rise is regression to the mean: they were low partly by chance.
          </caption>
          <thead>
            <tr>
              <th scope="col">after step</th>
              <th scope="col">left</th>
              <th scope="col">kept</th>
              <th scope="col">before</th>
              <th scope="col">after</th>
              <th scope="col">low ones</th>
              <th scope="col">by regression</th>
              <th scope="col">learnt</th>
              <th scope="col">why</th>
            </tr>
          </thead>
          <tbody>
            ${refreshes.map(row)}
          </tbody>
        </table>
      </section>`

const row = ({ metrics, reason, step }: Refresh): Markup => {
  const of = (name: string): number | null => metrics[`refresh/${name}`] ?? null
  const difference = (name: string): string => {
    const value = of(name)
    return value === null ? ABSENT : points(value)
  }
  return html`<tr>
    <th scope="row">${step}</th>
    <td class="number">${count(of("questions") ?? 0)}</td>
    <td class="number">${count(of("kept") ?? 0)}</td>
    <td class="number">${percent(of("mean_before"))}</td>
    <td class="number">${percent(of("mean_after"))}</td>
    <td class="number">${difference("low_change")}</td>
    <td class="number">${difference("low_change_by_regression")}</td>
    <td class="number">${difference("low_change_beyond_regression")}</td>
    <td>${reason}</td>
  </tr> `
}
