/** What is wrong with a manifest: every problem with its place, all at once. */
import * as Schema from "effect/Schema"

/** One problem. `path` is the key in the manifest (`train.steps`, `questions.hard_letters[0]`), or `manifest` for the whole text. Lines and columns count from 1. */
export const ManifestIssue = Schema.Struct({
  file: Schema.String,
  line: Schema.Int,
  col: Schema.Int,
  path: Schema.String,
  message: Schema.String,
  /** The nearest name that is allowed at this place. */
  suggestion: Schema.optionalKey(Schema.String)
})
export type ManifestIssue = typeof ManifestIssue.Type

/** Writes a problem as `file:line:col path: message`. */
export const formatIssue = (issue: ManifestIssue): string => {
  const hint = issue.suggestion === undefined ? "" : `; did you mean \`${issue.suggestion}\`?`
  return `${issue.file}:${issue.line}:${issue.col} ${issue.path}: ${issue.message}${hint}`
}

/** The manifest says something that cannot be run. Its message is one line a problem. */
export class ManifestInvalid extends Schema.TaggedError<ManifestInvalid>()("ManifestInvalid", {
  issues: Schema.NonEmptyArray(ManifestIssue)
}) {
  override get message(): string {
    return this.issues.map(formatIssue).join("\n")
  }
}
