/** The report's stylesheet: light and dark by the reader's preference, one column on a phone. */
import { variables } from "../Palette.ts"

const page = `
*, *::before, *::after { box-sizing: border-box; }
html { color-scheme: light dark; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; font-variant-numeric: tabular-nums; }
main, header, footer { max-width: 72rem; margin: 0 auto; padding: 0 clamp(1rem, 4vw, 2.5rem); }
header { padding-top: clamp(1.75rem, 5vw, 3.5rem); }
footer { padding-top: 2rem; padding-bottom: 3rem; color: var(--muted); font-size: .875rem; }
h1 { margin: .15rem 0 .5rem; font-size: clamp(1.75rem, 4vw, 2.5rem); line-height: 1.15; letter-spacing: -.02em; font-weight: 650; overflow-wrap: anywhere; }
h2 { margin: 3rem 0 .35rem; font-size: 1.3rem; line-height: 1.25; letter-spacing: -.01em; font-weight: 650; }
h3 { margin: 0; font-size: 1rem; line-height: 1.35; font-weight: 600; }
p { margin: 0 0 .75rem; max-width: 68ch; }
.kicker { margin: 0; color: var(--muted); font-size: .8125rem; letter-spacing: .06em; text-transform: uppercase; }
.lead { font-size: 1.0625rem; }
.quiet { color: var(--muted); font-size: .9rem; }
code, pre { font-family: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, monospace; font-size: .875em; }
code { overflow-wrap: anywhere; }
a { color: var(--blue); }
`

const blocks = `
.facts { display: flex; flex-wrap: wrap; gap: .75rem 2rem; margin: 1.25rem 0 0; padding: 1rem 0; border-block: 1px solid var(--grid); }
.facts div { min-width: 0; }
dt { color: var(--muted); font-size: .8125rem; }
dd { margin: 0; overflow-wrap: anywhere; }
.verdicts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr)); gap: 1rem; margin: 1.5rem 0 1rem; }
.card, .figure { background: var(--surface); border: 1px solid var(--grid); border-radius: .75rem; }
.card { padding: 1.1rem 1.25rem; }
.card .value { display: block; margin: .35rem 0 .1rem; font-size: 1.75rem; line-height: 1.2; font-weight: 650; letter-spacing: -.02em; }
.card .value .from { color: var(--muted); font-weight: 450; }
.note { margin: 1.25rem 0; padding: .9rem 1.1rem; border-left: 3px solid var(--orange); background: var(--surface); border-radius: 0 .5rem .5rem 0; }
.note p:last-child { margin-bottom: 0; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); gap: 1.25rem; margin-top: 1.25rem; }
.figure { margin: 0; padding: 1.1rem 1.1rem 1.2rem; min-width: 0; }
.figure svg { display: block; width: 100%; height: auto; margin: .4rem 0 .5rem; }
.figure svg text { font-family: inherit; }
figcaption { color: var(--muted); font-size: .9rem; line-height: 1.5; }
details { margin-top: 1rem; }
summary { cursor: pointer; font-weight: 600; }
details pre { max-height: 30rem; overflow: auto; padding: 1rem; background: var(--surface); border: 1px solid var(--grid); border-radius: .5rem; white-space: pre-wrap; overflow-wrap: anywhere; }
:focus-visible { outline: 2px solid var(--blue); outline-offset: 2px; border-radius: 2px; }
`

const tables = `
table { width: 100%; border-collapse: collapse; margin: 1rem 0; font-size: .9375rem; }
caption { text-align: left; color: var(--muted); font-size: .875rem; padding-bottom: .4rem; }
th, td { padding: .5rem .75rem .5rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--grid); overflow-wrap: anywhere; }
th { font-weight: 600; }
thead th { color: var(--muted); font-weight: 500; font-size: .8125rem; }
td.number, th.number { text-align: right; white-space: nowrap; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 0 2.5rem; }
.columns th { width: 42%; font-weight: 450; color: var(--muted); }
.completion { margin: 0 0 .35rem; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 16rem; overflow: auto; unicode-bidi: plaintext; }
.mark { font-size: .8125rem; font-weight: 600; }
.right { color: var(--green); } .wrong { color: var(--rose); } .unscored { color: var(--muted); }
.examples { table-layout: fixed; }
.examples th:first-child { width: 24%; }
.examples tbody th { font-weight: 400; }
@media (max-width: 44rem) {
  .stack thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .stack, .stack tbody, .stack tr, .stack th, .stack td { display: block; width: auto; }
  .stack tr { padding: .75rem 0; border-bottom: 1px solid var(--grid); }
  .stack th, .stack td, .stack td.number { border: 0; padding: .15rem 0; text-align: left; white-space: normal; }
  .stack caption { display: block; }
  .stack td.number { display: flex; justify-content: space-between; gap: 1rem; }
  .figure { padding: .9rem .75rem 1rem; }
  .stack td::before { content: attr(data-label); display: block; color: var(--muted); font-size: .8125rem; }
  .examples th:first-child { width: auto; }
}
@media print { body { background: #fff; } .figure, .card { break-inside: avoid; } details { display: none; } }
`

/** The whole stylesheet. */
export const stylesheet = `:root { ${variables("light")} --page: #f6f7f9; }
@media (prefers-color-scheme: dark) { :root { ${variables("dark")} --page: #0f1216; } }
${page}${blocks}${tables}`
