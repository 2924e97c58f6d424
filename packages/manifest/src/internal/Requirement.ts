/** The checks of the manifest's schema as short demands: "must be at least 1". */
import type * as SchemaIssue from "effect/SchemaIssue"

/** Patterns of packages/domain/src/manifest/Numbers.ts and its users, in words. */
const patternTexts: Record<string, string> = {
  "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$": "must be 1 to 64 letters, digits, _ or -, and begin with a letter or digit",
  "^[^\\u0000]*$": "must not contain a NUL character",
  "^[A-Za-z_][A-Za-z0-9_]*$": "must be the name of an environment variable",
  "^https?:\\/\\/": "must begin with http:// or https://",
  "^[^?#]*$":
    "must not hold a query or a fragment (? or #): a key is named by { env: NAME }, never written in an address",
  "^https?:\\/\\/[^\\s@]+$": "must hold a host, and no user name, password or white space",
  "^https?:\\/\\/[^/?#@]+$": "must be http:// or https://, a host and perhaps a port, and nothing else",
  "\\{question\\}": "must contain {question}",
  "^[0-9a-f]{64}$": "must be a SHA-256 in 64 lower-case hexadecimal digits"
}

const payload = (issue: SchemaIssue.Filter): { readonly id: string; readonly values: Record<string, unknown> } => {
  const representation = issue.filter.annotations?.["representation"] as
    | { readonly id?: string; readonly payload?: Record<string, unknown> | null }
    | undefined
  return { id: representation?.id?.split("/").at(-1) ?? "", values: representation?.payload ?? {} }
}

/** Says what a failed check demands. */
export const requirement = (issue: SchemaIssue.Filter): string => {
  const { id, values } = payload(issue)
  if (id === "isInt") return "must be a whole number"
  if (id === "isFinite") return "must be a finite number"
  if (id === "isGreaterThanOrEqualTo") return `must be at least ${String(values["minimum"])}`
  if (id === "isLessThanOrEqualTo") return `must be at most ${String(values["maximum"])}`
  if (id === "isGreaterThan") return `must be greater than ${String(values["exclusiveMinimum"])}`
  if (id === "isMinLength" && values["minLength"] === 1) return "must not be empty"
  const pattern = id === "isPattern" ? patternTexts[String(values["source"])] : undefined
  return pattern ?? `must be ${issue.filter.annotations?.expected ?? "another value"}`
}
