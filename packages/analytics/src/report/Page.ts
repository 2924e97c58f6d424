/** The report's page: sections in reading order, one stylesheet, no script, no address. */
import type { RunRecord } from "@gradus/domain/RunRecord"
import type { RunSummary } from "@gradus/domain/RunSummary"
import type { Figure } from "../Figures.ts"
import { isSimulated } from "../Simulated.ts"
import { examplesSection } from "./ExamplesSection.ts"
import { figuresSection } from "./FiguresSection.ts"
import { headerSection } from "./HeaderSection.ts"
import { html } from "./Html.ts"
import { provenanceSection } from "./ProvenanceSection.ts"
import { refreshSection } from "./RefreshSection.ts"
import { settingsSection } from "./SettingsSection.ts"
import { shell } from "./Shell.ts"
import { timesSection } from "./TimesSection.ts"
import { verdictSection } from "./VerdictSection.ts"

/** Writes the page of a run. */
export const page = (
  record: RunRecord,
  figures: ReadonlyArray<Figure>,
  digest: RunSummary["digest"] | undefined
): string =>
  shell({
    title: html`${record.manifest.name}: Gradus run report${isSimulated(record) && " (simulation)"}`,
    body: html`${headerSection(record)}
      <main>
        ${verdictSection(record)} ${figuresSection(figures)} ${refreshSection(record)} ${examplesSection(record)}
        ${settingsSection(record)} ${timesSection(record)} ${provenanceSection(record, digest)}
      </main>
      <footer>
        Made by Gradus from the files of <code>${record.run}</code>; the figures are beside it as vega-lite specs and
        SVG.
      </footer>`
  })
