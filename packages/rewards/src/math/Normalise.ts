/**
 * One spelling for the many of the same answer: Unicode signs become LaTeX, LaTeX loses what only moves ink, thousands lose
 * their separators, wrappers (`$…$`, `\boxed{…}`) are opened. A text in, a text out, in time linear in its length; nothing is executed.
 */

import { FUNCTIONS } from "./Tokens.ts"

const SIGNS: Readonly<Record<string, string>> = {
  "−": "-",
  "–": "-",
  "﹣": "-",
  "×": "\\times ",
  "·": "\\cdot ",
  "⋅": "\\cdot ",
  "∙": "\\cdot ",
  "÷": "/",
  "∕": "/",
  "⁄": "/",
  π: "\\pi ",
  "∞": "\\infty ",
  "√": "\\sqrt ",
  "≤": "\\le ",
  "≥": "\\ge ",
  "⩽": "\\le ",
  "⩾": "\\ge ",
  "≠": "\\ne ",
  "±": "\\pm ",
  "∓": "\\mp ",
  "∪": "\\cup ",
  "∩": "\\cap ",
  "∈": "\\in ",
  "∅": "\\emptyset ",
  "°": "^{\\circ}",
  "∠": "\\angle ",
  "≈": "\\approx ",
  "≡": "\\equiv ",
  "∑": "\\sum ",
  "∏": "\\prod ",
  "∫": "\\int ",
  ℝ: "\\mathbb{R}",
  ℤ: "\\mathbb{Z}",
  ℕ: "\\mathbb{N}",
  α: "\\alpha ",
  β: "\\beta ",
  γ: "\\gamma ",
  δ: "\\delta ",
  θ: "\\theta ",
  λ: "\\lambda ",
  μ: "\\mu ",
  φ: "\\phi ",
  ω: "\\omega ",
  σ: "\\sigma ",
  ρ: "\\rho ",
  "⟨": "\\langle ",
  "⟩": "\\rangle ",
  "′": "'",
  "’": "'"
}
const SIGN = new RegExp(`[${Object.keys(SIGNS).join("")}]`, "gu")

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"
const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉"
const raised = (run: string): string =>
  `^{${[...run].map((c) => (c === "⁻" ? "-" : String(SUPERSCRIPTS.indexOf(c)))).join("")}}`
const lowered = (run: string): string => `_{${[...run].map((c) => String(SUBSCRIPTS.indexOf(c))).join("")}}`

const unicode = (text: string): string =>
  text
    .replaceAll(/[！-～]/gu, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0))
    .replaceAll(/[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]/gu, "")
    .replaceAll(/[\u00a0\u2000-\u200a\u202f\u3000\s]/gu, " ")
    .replaceAll(/[¼-¾⅐-⅞]/gu, (c) => c.normalize("NFKC").replace(/^(\d+)⁄(\d+)$/u, "\\frac{$1}{$2}"))
    .replaceAll(/[⁰¹²³⁴-⁹⁻]+/gu, raised)
    .replaceAll(/[₀-₉]+/gu, lowered)
    .replaceAll(/√\s*(\d+)/gu, "\\sqrt{$1}")
    .replaceAll(SIGN, (c) => SIGNS[c] ?? c)

/** A backslash doubled by an escaping bug, before a command that cannot begin a row of a matrix by itself. */
const DOUBLED = /\\\\(?=(?:[dt]?frac|sqrt|text|leq?|geq?|pi|cdot|times|left|right|infty|cup|pm|boxed)(?![a-zA-Z]))/g
const INK =
  /\\(?:left|right|[bB]igg?[lrm]?|middle|displaystyle|textstyle|limits|nolimits|mathstrut|strut|hline|nonumber|dotsc?|hfill|allowbreak)(?![a-zA-Z])\.?/g
const SPACE = /\\(?:[,;:! ]|quad(?![a-zA-Z])|qquad(?![a-zA-Z])|quad(?=[a-zA-Z]))|~|\\[hv]space\{[^{}]{0,20}\}/g
const FONT = /\\(?:mathrm|mathbf|mathit|mathsf|mathcal|mathbb|boldsymbol|bm|rm|bf|it|operatorname\*?)(?![a-zA-Z])\s*/g
/** Upright letters are a unit or a word unless they name a function. */
const UPRIGHT = /\\(?:mathrm|rm|operatorname\*?)\s*\{\s*([A-Za-z]{2,})\s*\}/g
const WORDS = /\\(?:text|textbf|textit|textrm|textnormal|textsf|mbox|hbox)(?![a-zA-Z])\s*\{/g
const GROUPS = /(\d)(?:,\\!|\\,|\\!|\{,\}|\\;|\\ ) ?(?=\d{3}(?!\d))/g

/** A decimal whose marked digits repeat without end; the mark is a command before them or a stroke over each. */
const REPEATING =
  /(?<![\d.])(\d{0,20})\.(\d{0,20})\\(?:overline|bar)(?![a-zA-Z])\s*(?:\{\s*(\d{1,20})\s*\}|(\d))(?!\d)/g
const STRUCK = /\.(\d{0,20})((?:\d[\u0304\u0305]){1,20})/gu

/** Its value as a fraction of whole numbers: the digits up to the end of the first period less those before it, over as many nines and zeros. */
const repeating = (_: string, whole: string, fixed: string, braced?: string, single?: string): string => {
  const period = braced ?? single ?? ""
  const before = BigInt(`0${whole}${fixed}`)
  const over = `${"9".repeat(period.length)}${"0".repeat(fixed.length)}`
  return `\\frac{${BigInt(`0${whole}${fixed}${period}`) - before}}{${over}}`
}

const latex = (text: string): string =>
  text
    .replaceAll(DOUBLED, "\\")
    .replaceAll(STRUCK, (_, fixed: string, marked: string) => `.${fixed}\\overline{${marked.replaceAll(/\D/g, "")}}`)
    .replaceAll(REPEATING, repeating)
    .replaceAll("\\\\", "\\cr ")
    .replaceAll(GROUPS, "$1")
    .replaceAll(INK, " ")
    .replaceAll(/\\[dtc]frac(?![a-zA-Z])/g, "\\frac")
    .replaceAll(/\\(frac|sqrt|binom)\s*(\d)/g, "\\$1{$2}")
    .replaceAll(/(\\(?:frac|binom)\s*\{[^{}]*\})\s*(\d)/g, "$1{$2}")
    .replaceAll(/\\(?:textdegree|degree)(?![a-zA-Z])/g, "^{\\circ}")
    .replaceAll(/\^\s*(?:\\circ(?![a-zA-Z])|\{\s*\\circ\s*\})/g, "\\degree ")
    .replaceAll(SPACE, " ")
    .replaceAll("\\$", "¤")
    .replaceAll(/\\(?=[#&_])/g, "")
    .replaceAll(UPRIGHT, (_, word: string) => (FUNCTIONS.has(word) ? ` ${word} ` : `\\text{${word}}`))
    .replaceAll(FONT, "")
    .replaceAll(WORDS, "\\text{")
    .replaceAll(/\\text\{\s*([A-Za-z]|[^{}\p{L}]*)\s*\}/gu, " $1 ")
    .replaceAll(/\*\*/g, "^")

const percent = (text: string): string =>
  text.replaceAll(/\\%/g, "%").replaceAll(/(?:\\text\{\s*)?\b(?:percent|pct)\b\s*\}?/gi, "%")

/** Thousands with commas or spaces, where the whole text is one number with a unit. Inside a list or tuple a comma separates. */
const GROUPED =
  /^([+-]?(?:[$€£¥¤] ?)?\d{1,3})((?:,\d{3})+|(?: \d{3})+)((?:\.\d+)?(?: ?(?:\\text\{[^{}\d]*\}|\\degree ?|[^\d,;.()[\]{}=\\]*)))$/u
/** The same after an equals sign at the end. */
const GROUPED_RESULT = /(= ?[+-]?(?:[$€£¥¤] ?)?)(\d{1,3}(?:,\d{3})+)(?=(?:\.\d+)?$)/
/** Takes the separators of thousands away. */
export const ungrouped = (text: string): string => {
  const match = GROUPED.exec(text)
  if (match !== null) return `${match[1]}${match[2]?.replaceAll(/[, ]/g, "")}${match[3]}`
  return text.replace(GROUPED_RESULT, (_, before: string, digits: string) => `${before}${digits.replaceAll(",", "")}`)
}

/** `3 1/2` is a mixed number. */
const mixed = (text: string): string =>
  text.replaceAll(/(?<![\d.,/^_}] ?)(\d{1,9}) (\d{1,9})\/(\d{1,9})(?![\d/.^])/g, "$1\\frac{$2}{$3}")

const WRAPPED = [
  /^\$\$([^$]*)\$\$$/,
  /^\$([^$]*)\$$/,
  /^\\\[([^]*)\\\]$/,
  /^\\\(([^]*)\\\)$/,
  /^\\(?:boxed|fbox|framebox)\s*\{([^]*)\}$/
] as const

/** Says whether the braces of a text are balanced without ever closing more than was opened. */
const balanced = (text: string): boolean => {
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const c = text[i]
    if (c === "\\") i++
    else if (c === "{") depth++
    else if (c === "}" && --depth < 0) return false
  }
  return depth === 0
}

/** Opens `$…$`, `\[…\]`, `\boxed{…}` around the whole text, and takes a final full stop. */
export const unwrap = (text: string): string => {
  let inner = text.trim()
  for (let round = 0; round < 6; round++) {
    const before = inner
    inner = inner.replace(/(?<![.\d\\])[.,;:]+$|(?<=\d)[.,;:]$/, "").trim()
    for (const pattern of WRAPPED) {
      const content = pattern.exec(inner)?.[1]
      if (content !== undefined && balanced(content)) inner = content.trim()
    }
    if (inner === before) break
  }
  return inner
}

/** Takes away dollar signs in pairs: they surround formulas. A single one is money. */
const withoutMathSigns = (text: string): string => {
  const count = text.split("$").length - 1
  return count % 2 === 0 ? text.replaceAll("$", " ") : text
}

/** Writes an answer in one spelling, but leaves commas where they stand: they may be of thousands or of a list. */
export const spell = (text: string): string => {
  const opened = unwrap(latex(percent(unicode(unwrap(text.normalize("NFC"))))))
  return mixed(unwrap(withoutMathSigns(opened).replaceAll(/ {2,}/g, " ")))
}

/** Writes an answer in the one spelling that the reader knows. Equal results mean equal answers. */
export const normalise = (text: string): string => ungrouped(spell(text))
