/** A problem at a place of a sweep, in the form of a manifest's. */
import type { ManifestIssue } from "@gradus/manifest/ManifestInvalid"
import { formatPath, type Path, type Place } from "@gradus/manifest/Tree"

/** Puts a place, a path in the sweep and a message together. */
export const issueAt = (place: Place, path: Path, message: string): ManifestIssue => ({
  file: place.source.kind === "file" ? place.source.file : "sweep",
  line: place.line,
  col: place.col,
  path: path.length === 0 ? "sweep" : formatPath(path),
  message
})
