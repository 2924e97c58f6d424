/** Tables and values as what a cell shows: HTML, and text beside it. Completions are hostile: whatever they hold is shown as text. */
import { ABSENT } from "@gradus/analytics/report/Format"
import { html, type Markup, visibleText } from "@gradus/analytics/report/Html"
import { type Cells, cellsOf, type Cut } from "./Cells.ts"
import type { Bundle } from "./Display.ts"

/** Digits of a number that is not whole. */
const DIGITS = 4
/** Characters of a text, in HTML and in a column of plain text. */
const MOST = 2000
const NARROW = 48
/** From this length on a text has a box of its own. */
const LONG = 60

const cut = (text: string, most: number): string => {
  const characters = [...text]
  return characters.length <= most ? text : `${characters.slice(0, most).join("")}…`
}

/** Whole numbers as they are, others with few digits, but never a digit less than their whole part has. */
const numberText = (value: number): string => {
  if (Number.isInteger(value) || !Number.isFinite(value)) return String(value)
  return String(Math.abs(value) >= 10 ** DIGITS ? Math.round(value) : Number(value.toPrecision(DIGITS)))
}

/** Writes a value as text: a dash for what is not there, JSON for what has parts. */
const textOf = (value: unknown): string => {
  if (value === null || value === undefined) return ABSENT
  if (typeof value === "number") return numberText(value)
  return typeof value === "object" ? JSON.stringify(value) : String(value)
}

const BOX =
  "white-space:pre-wrap;overflow-wrap:anywhere;text-align:left;margin:0;max-width:60ch;max-height:14em;overflow:auto"

/** Columns that hold numbers and nothing else stand on the right, with their names. */
const sidesOf = ({ columns, rows }: Cells): ReadonlyArray<"left" | "right"> =>
  columns.map((_, i) => {
    const values = rows.map((row) => row[i]).filter((value) => value !== null && value !== undefined)
    return values.length > 0 && values.every((value) => typeof value === "number") ? "right" : "left"
  })

const cell = (value: unknown, side: string | undefined): Markup => {
  const text = cut(textOf(value), MOST)
  const long = text.includes("\n") || text.length > LONG
  return html`<td style="text-align:${side};vertical-align:top">
    ${long ? html`<pre style="${BOX}">${text}</pre>` : text}
  </td>`
}

const more = ({ rows, total }: Cells): string => (total > rows.length ? `${rows.length} of ${total} rows` : "")

/** The classes keep MathJax out: dollars and backslashes of a completion are no formula. */
const tableHtml = (cells: Cells): Markup => {
  const sides = sidesOf(cells)
  return html`<table class="tex2jax_ignore mathjax_ignore">
      <thead>
        <tr>
          ${cells.columns.map((name, i) => html`<th style="text-align:${sides[i]}">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${cells.rows.map(
          (row) =>
            html`<tr>
              ${row.map((value, i) => cell(value, sides[i]))}
            </tr>`
        )}
      </tbody>
    </table>
    ${more(cells) !== "" && html`<p>${more(cells)}</p>`}`
}

/** Line breaks would end the row of a plain table. */
const narrow = (value: unknown): string =>
  cut(visibleText(textOf(value)).replaceAll("\n", "⏎").replaceAll("\t", " "), NARROW)

const tableText = (cells: Cells): string => {
  const sides = sidesOf(cells)
  const lines = [cells.columns.map(narrow), ...cells.rows.map((row) => row.map(narrow))]
  const widths = cells.columns.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)))
  const padded = (text: string, i: number): string =>
    sides[i] === "right" ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0)
  const rows = lines.map((line) => line.map(padded).join("  ").trimEnd())
  return (more(cells) === "" ? rows : [...rows, more(cells)]).join("\n")
}

/** Writes a table, a list of objects, an object or any other value. Without a row there is text alone, so that nothing is not taken for something. */
export const shown = (value: unknown, options: Cut = {}): Bundle => {
  const cells = cellsOf(value, options)
  if (cells === undefined) {
    const text = cut(textOf(value), MOST)
    const markup = html`<pre class="tex2jax_ignore mathjax_ignore" style="${BOX}">${text}</pre>`
    return { "text/html": markup.source, "text/plain": visibleText(text) }
  }
  if (cells.rows.length === 0) return { "text/plain": "no rows" }
  return { "text/html": tableHtml(cells).source, "text/plain": tableText(cells) }
}
