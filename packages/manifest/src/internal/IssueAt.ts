/** A problem at a place of a tree. */
import type { ManifestIssue } from "../ManifestInvalid.ts"
import type { Path, Place } from "../Tree.ts"
import { formatPath } from "../Tree.ts"

/** Puts a place, a path and a message together. */
export const issueAt = (place: Place, path: Path, message: string, suggestion?: string): ManifestIssue => ({
  file: place.source.kind === "file" ? place.source.file : place.source.text,
  line: place.line,
  col: place.col,
  path: formatPath(path),
  message,
  ...(suggestion === undefined ? {} : { suggestion })
})
