/** The charts as they stand in the page: colours from the theme, sizes from the column, and a name for who cannot see them. */
import type { Figure } from "../Figures.ts"
import { withVariables } from "../Palette.ts"
import { escapeText, html, Markup } from "./Html.ts"

/** Writes every figure with its title, drawing and caption. */
export const figuresSection = (figures: ReadonlyArray<Figure>): Markup =>
  html`<section aria-labelledby="charts">
    <h2 id="charts">Charts</h2>
    ${figures.length === 0 ? html`<p class="quiet">There is nothing to draw yet.</p>` : figureGrid(figures)}
  </section>`

/** Writes figures side by side, as many as there is room for. Their names become ids of the page. */
export const figureGrid = (figures: ReadonlyArray<Figure>): Markup =>
  html`<div class="figures">${figures.map(figure)}</div>`

const figure = ({ caption, name, svg, title }: Figure): Markup =>
  html`<figure class="figure" id="figure-${name}">
    <h3>${title}</h3>
    ${inPage(svg, name, `${title}. ${caption}`)}
    <figcaption>${caption}</figcaption>
  </figure>`

/** Makes a drawing fit its column and follow the theme. Ids get the figure's name, since clip paths of several figures share one page. */
const inPage = (svg: string, name: string, label: string): Markup => {
  const named = svg
    .replaceAll(/\bid="([^"]+)"/g, `id="${name}-$1"`)
    .replaceAll(/url\(#([^)]+)\)/g, `url(#${name}-$1)`)
    .replace(
      /^<svg[^>]*viewBox="([^"]+)"[^>]*>/,
      (_, box: string) => `<svg viewBox="${box}" role="img" aria-label="${escapeText(label)}">`
    )
  return new Markup(withVariables(named))
}
