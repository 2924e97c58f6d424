/** A problem at a place of a tree. */
import type { ManifestIssue } from "../ManifestInvalid.ts"
import type { Path, Place } from "../Tree.ts"
import { formatPath } from "../Tree.ts"

const nameOf = (source: Place["source"]): string => {
  if (source.kind === "file") return source.file
  return source.kind === "override" ? source.text : "default"
}

/** Puts a place, a path and a message together. */
export const issueAt = (place: Place, path: Path, message: string, suggestion?: string): ManifestIssue => ({
  file: nameOf(place.source),
  line: place.line,
  col: place.col,
  path: formatPath(path),
  message,
  ...(suggestion === undefined ? {} : { suggestion })
})
