/** What every page of ours begins and ends with: no script, no address, one stylesheet. */
import { html, Markup } from "./Html.ts"
import { stylesheet } from "./Stylesheet.ts"

/** Nothing may be loaded or run: pages hold completions, which are hostile text. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'"

export interface Shell {
  readonly title: string | Markup
  /** Rules beside the stylesheet. */
  readonly style?: string
  readonly body: Markup
}

/** Writes a whole page. */
export const shell = ({ body, style, title }: Shell): string =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <style>
          ${new Markup(stylesheet)}${style !== undefined && new Markup(`\n${style}`)}
        </style>
      </head>
      <body>
        ${body}
      </body>
    </html> `.source
