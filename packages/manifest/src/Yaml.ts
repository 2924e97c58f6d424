/** YAML 1.2 (core schema) as a manifest may use it: one document of plain maps, lists and scalars, each with its place. */
import * as Result from "effect/Result"
import { Composer, LineCounter, type YAMLError } from "yaml"
import { Builder } from "./internal/Build.ts"
import { scan } from "./internal/Scan.ts"
import type { ManifestIssue } from "./ManifestInvalid.ts"
import type { Place, Tree } from "./Tree.ts"

/** yaml's own texts quote the source; ours must not, since it may hold a secret. */
const syntaxTexts: Partial<Record<YAMLError["code"], string>> = {
  BAD_ALIAS: "this alias is not valid",
  BAD_DQ_ESCAPE: "unknown escape in a double-quoted text",
  BAD_INDENT: "wrong indentation",
  BAD_SCALAR_START: "a plain text cannot begin with this character; put it in quotes",
  BLOCK_AS_IMPLICIT_KEY: "a map or list cannot begin here; a text that contains `: ` needs quotes",
  BLOCK_IN_FLOW: "a block map or list cannot stand inside braces or brackets",
  KEY_OVER_1024_CHARS: "a key is longer than 1024 characters",
  MISSING_CHAR: "a closing quote, bracket, brace, comma or colon is missing",
  MULTILINE_IMPLICIT_KEY: "a key must stand on one line",
  NON_STRING_KEY: "a key must be a plain text",
  TAB_AS_INDENT: "tabs cannot indent; use spaces",
  UNEXPECTED_TOKEN: "unexpected text"
}

/** yaml's counter takes CR LF as LF; a byte order mark at the begin is no column. */
const withoutMark = (text: string): string => (text.startsWith("\ufeff") ? text.slice(1) : text)

/** What could be read of a text, and what is wrong with it. */
export interface Parsed {
  /** Absent where the text is no YAML that a manifest may use; else without the keys that were refused. */
  readonly tree: Tree | undefined
  readonly issues: ReadonlyArray<ManifestIssue>
}

/**
 * Reads a text into a tree, and lists what is refused with its place, so that what is left can still be checked.
 * Refuses: over 1 MiB, control characters, several documents, directives, tags, merge keys, duplicate keys, nesting over 64, alias bombs,
 * inexact integers, and keys that name prototypes. Expands nothing.
 */
export const read = (source: Place["source"], text: string): Parsed => {
  const body = withoutMark(text)
  const lines = new LineCounter()
  const builder = new Builder(source, lines)
  const scanned = scan(body, lines)
  if (Result.isFailure(scanned)) {
    builder.refuse(builder.placeAt(scanned.failure.offset), [], scanned.failure.message)
    return { tree: undefined, issues: builder.issues }
  }
  // Duplicate keys are found by the builder: yaml's own search is quadratic.
  const options = { uniqueKeys: false, prettyErrors: false, logLevel: "silent", resolveKnownTags: false } as const
  const composer = new Composer({ ...options, stringKeys: true, schema: "core", merge: false })
  const [document] = [...composer.compose(scanned.success, true, body.length)]
  for (const error of document!.errors)
    builder.refuse(builder.placeAt(error.pos[0]), [], syntaxTexts[error.code] ?? "is not valid YAML")
  if (builder.issues.length > 0) return { tree: undefined, issues: builder.issues }
  return { tree: builder.build(document!.contents, [], { source, line: 1, col: 1 }), issues: builder.issues }
}

/** Reads a text into a tree, or gives every problem of `read`. */
export const parse = (source: Place["source"], text: string): Result.Result<Tree, ReadonlyArray<ManifestIssue>> => {
  const { tree, issues } = read(source, text)
  return tree === undefined || issues.length > 0 ? Result.fail(issues) : Result.succeed(tree)
}
