/** Digests and versions: what two runs must share to be comparable to the bit. */
import type { RunRecord } from "@gradus/domain/RunRecord"
import type { RunSummary } from "@gradus/domain/RunSummary"
import { html, type Markup } from "./Html.ts"

/** Writes digests of inputs (and of results, where they are given), versions and the determinism class of each stage. */
export const provenanceSection = ({ lineage }: RunRecord, results: RunSummary["digest"] | undefined): Markup => {
  const digests: ReadonlyArray<readonly [string, string]> = [
    ...Object.entries(results ?? {}),
    ["manifest", lineage.manifest_digest],
    ["questions", lineage.dataset_digest],
    ...(lineage.dirty === null ? [] : [["uncommitted changes", lineage.dirty] as const]),
    ...Object.entries(lineage.locks)
  ]
  return html`<section aria-labelledby="provenance">
    <h2 id="provenance">Provenance</h2>
    ${table("Digests (SHA-256)", digests, true)}
    <div class="columns">
      ${table("Versions", Object.entries(lineage.versions), false)}
      ${table("Repeatable", Object.entries(lineage.stages), false)}
    </div>
  </section>`
}

const table = (caption: string, rows: ReadonlyArray<readonly [string, string]>, code: boolean): Markup | null =>
  rows.length === 0
    ? null
    : html`<table>
        <caption>
          ${caption}
        </caption>
        <tbody>
          ${rows.map(
            ([name, value]) =>
              html`<tr>
                <th scope="row">${name}</th>
                <td>${code ? html`<code>${value}</code>` : value}</td>
              </tr> `
          )}
        </tbody>
      </table>`
