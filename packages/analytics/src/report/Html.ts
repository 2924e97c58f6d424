/** HTML that escapes by default: whatever is put into a template is text, unless it is markup itself. */

/** Markup that may stand in a page as it is. */
export class Markup {
  readonly source: string
  constructor(source: string) {
    this.source = source
  }
}

export type Content = string | number | Markup | null | undefined | false | ReadonlyArray<Content>

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;"
}

/** Control characters, direction overrides and invisible separators: they can hide or reorder what a completion says. */
// oxlint-disable-next-line no-control-regex -- these are what is looked for
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

const visible = (character: string): string => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`

/** Writes unseen characters of hostile text out as `\u202e`; broken surrogates become U+FFFD. */
export const visibleText = (text: string): string =>
  text.replaceAll("\r\n", "\n").toWellFormed().replaceAll(UNSEEN, visible)

/** Escapes hostile text for element content and quoted attributes, with unseen characters written out. */
export const escapeText = (text: string): string =>
  visibleText(text).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character)

const sourceOf = (content: Content): string => {
  if (content instanceof Markup) return content.source
  if (content === null || content === undefined || content === false) return ""
  if (typeof content === "object") return content.map(sourceOf).join("")
  return escapeText(String(content))
}

/** Builds markup from a template; every interpolation is escaped, lists are joined, null and false leave nothing. */
export const html = (parts: TemplateStringsArray, ...contents: ReadonlyArray<Content>): Markup =>
  new Markup(parts.map((part, index) => part + (index < contents.length ? sourceOf(contents[index]) : "")).join(""))
