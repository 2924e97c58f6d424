/** First pass over a text: refuses what YAML can do and a manifest may not, before anything recursive or quadratic runs on it. */
import * as Result from "effect/Result"
import type { CST } from "yaml"
import { Lexer, type LineCounter, Parser } from "yaml"
import { maxBytes, maxDepth, maxLines, maxTokens } from "./Limits.ts"

/** A refusal at an offset of the text. */
export interface Refusal {
  readonly offset: number
  readonly message: string
}

/** What the lexer gives before a scalar. */
const scalarMark = "\u001f"

/** Control characters other than white space, and halves of surrogate pairs. */
const unprintable = /(?![\t\n\r\u0085])[\p{Cc}\p{Cs}]/u

/** Finds where the first line too many begins, or -1. */
const lineTooMany = (text: string): number => {
  let at = 0
  for (let line = 0; line < maxLines; line++) {
    at = text.indexOf("\n", at) + 1
    if (at === 0) return -1
  }
  return at
}

const refuseText = (text: string): Refusal | undefined => {
  if (text.length > maxBytes) return { offset: 0, message: "is larger than 1 MiB" }
  const beyond = lineTooMany(text)
  if (beyond >= 0) return { offset: beyond, message: `has more than ${maxLines} lines` }
  const found = unprintable.exec(text)
  if (found === null) return undefined
  const code = found[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")
  return { offset: found.index, message: code === "0000" ? "contains a NUL byte" : `contains the character U+${code}` }
}

const refuseLexeme = (lexeme: string): string | undefined => {
  if (lexeme[0] === "!") return "tags are not allowed"
  if (lexeme[0] === "%") return "directives are not allowed"
  return undefined
}

const isCollection = (token: CST.Token): boolean =>
  token.type === "block-map" || token.type === "block-seq" || token.type === "flow-collection"

const tooDeep = (stack: ReadonlyArray<CST.Token>): boolean =>
  stack.length > maxDepth && stack.filter(isCollection).length > maxDepth

/** Splits a text into concrete syntax tokens of one document, or says why it is refused and where. Tells `lines` where lines begin. */
export const scan = (text: string, lines: LineCounter): Result.Result<ReadonlyArray<CST.Token>, Refusal> => {
  lines.addNewLine(0)
  const refused = refuseText(text)
  if (refused !== undefined) {
    for (const newline of text.slice(0, refused.offset).matchAll(/\n/g)) lines.addNewLine(newline.index + 1)
    return Result.fail(refused)
  }
  const parser = new Parser(lines.addNewLine)
  const tokens: Array<CST.Token> = []
  let count = 0
  let scalarNext = false
  for (const lexeme of new Lexer().lex(text)) {
    const offset = parser.offset
    // The lexer announces a scalar by a mark; what follows it is content, whatever it begins with.
    const reason = scalarNext ? undefined : refuseLexeme(lexeme)
    scalarNext = lexeme === scalarMark
    if (reason !== undefined) return Result.fail({ offset, message: reason })
    if (++count > maxTokens) return Result.fail({ offset, message: `has more than ${maxTokens} tokens` })
    tokens.push(...parser.next(lexeme))
    if (tooDeep(parser.stack)) return Result.fail({ offset, message: `is nested deeper than ${maxDepth}` })
  }
  tokens.push(...parser.end())
  const second = tokens.filter((token) => token.type === "document")[1]
  if (second !== undefined) return Result.fail({ offset: second.offset, message: "must be a single YAML document" })
  return Result.succeed(tokens)
}
