/** The same questions answered before and after GRPO. Completions are hostile text: they are only ever shown as text. */
import type { ExamplePair, RunRecord } from "@gradus/domain/RunRecord"
import { html, type Markup } from "./Html.ts"

/** Writes the table of examples; nothing when the run has none. */
export const examplesSection = ({ examples }: Pick<RunRecord, "examples">): Markup | null =>
  examples.length === 0
    ? null
    : html`<section aria-labelledby="examples">
        <h2 id="examples">Example completions</h2>
        <p class="quiet">One sample of each question before and after GRPO, as the policy wrote it.</p>
        <table class="stack examples">
          <thead>
            <tr>
              <th scope="col">Question</th>
              <th scope="col">Before</th>
              <th scope="col">After</th>
            </tr>
          </thead>
          <tbody>
            ${examples.map(row)}
          </tbody>
        </table>
      </section>`

const row = ({ first, gold, last, question, set, thinking }: ExamplePair): Markup =>
  html`<tr>
    <th scope="row">
      <pre class="completion">${question}</pre>
      <span class="quiet">gold <code>${gold}</code><br />${set}, thinking ${thinking}</span>
    </th>
    ${answer("Before", first)} ${answer("After", last)}
  </tr>`

const answer = (label: string, { components, text, value }: ExamplePair["first"]): Markup =>
  html`<td data-label="${label}">
    <pre class="completion">${text === "" ? "(empty)" : text}</pre>
    ${verdict(value)}
    <span class="quiet">${parts(components)}</span>
  </td>`

const verdict = (value: number | null): Markup => {
  if (value === null) return html`<span class="mark unscored">unscored</span>`
  if (value >= 1) return html`<span class="mark right">✓ right</span>`
  return html`<span class="mark wrong">✗ ${value === 0 ? "wrong" : `value ${value.toFixed(2)}`}</span>`
}

const parts = ({ accuracy, format }: ExamplePair["first"]["components"]): string =>
  [
    ...(accuracy === undefined ? [] : [`accuracy ${Number(accuracy.toFixed(2))}`]),
    ...(format === undefined ? [] : [`format ${Number(format.toFixed(2))}`])
  ].join(", ")
