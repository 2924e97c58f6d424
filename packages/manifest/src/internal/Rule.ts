/** A rule between the values of a manifest, and how it is broken. */
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import type { Path } from "../Tree.ts"

export interface Breach {
  readonly path: Path
  readonly message: string
  readonly suggestion?: string
}

export type Rule = (manifest: Manifest) => ReadonlyArray<Breach>

/** The breach of a rule at a path, where it is broken. */
export const when = (broken: boolean, path: Path, message: string): ReadonlyArray<Breach> =>
  broken ? [{ path, message }] : []
