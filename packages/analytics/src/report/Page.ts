/** The report's page: sections in reading order, one stylesheet, no script, no address. */
import type { RunRecord } from "@gradus/domain/RunRecord"
import type { RunSummary } from "@gradus/domain/RunSummary"
import type { Figure } from "../Figures.ts"
import { examplesSection } from "./ExamplesSection.ts"
import { figuresSection } from "./FiguresSection.ts"
import { headerSection } from "./HeaderSection.ts"
import { html, Markup } from "./Html.ts"
import { provenanceSection } from "./ProvenanceSection.ts"
import { settingsSection } from "./SettingsSection.ts"
import { stylesheet } from "./Stylesheet.ts"
import { timesSection } from "./TimesSection.ts"
import { verdictSection } from "./VerdictSection.ts"

/** Nothing may be loaded or run: the page holds completions, which are hostile text. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'"

/** Writes the page of a run. */
export const page = (
  record: RunRecord,
  figures: ReadonlyArray<Figure>,
  digest: RunSummary["digest"] | undefined
): string =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${record.manifest.name}: Gradus run report</title>
        <style>
          ${new Markup(stylesheet)}
        </style>
      </head>
      <body>
        ${headerSection(record)}
        <main>
          ${verdictSection(record)} ${figuresSection(figures)} ${examplesSection(record)} ${settingsSection(record)}
          ${timesSection(record)} ${provenanceSection(record, digest)}
        </main>
        <footer>
          Made by Gradus from the files of <code>${record.run}</code>; the figures are beside it as vega-lite specs and
          SVG.
        </footer>
      </body>
    </html> `.source
