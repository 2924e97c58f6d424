/** `extends:` the files that a manifest is laid over, as it names them. */
import * as Result from "effect/Result"
import { issueAt } from "./internal/IssueAt.ts"
import type { ManifestIssue } from "./ManifestInvalid.ts"
import type { Path, Place, Tree } from "./Tree.ts"

/** A file that is extended, relative to the file that says so. */
export interface Extension {
  readonly target: string
  readonly at: Place
  readonly path: Path
}

const extension = (node: Tree, path: Path): Result.Result<Extension, ManifestIssue> => {
  if (node.kind !== "scalar" || typeof node.value !== "string" || node.value === "")
    return Result.fail(issueAt(node.at, path, "must be a file name or a list of file names"))
  if (/^([/\\]|[A-Za-z]:)/.test(node.value))
    return Result.fail(issueAt(node.at, path, "must be relative to the file that says it"))
  return Result.succeed({ target: node.value, at: node.at, path })
}

/** Reads the files that a manifest extends, in the order in which they are laid over one another. */
export const extensions = (tree: Tree): Result.Result<ReadonlyArray<Extension>, ManifestIssue> => {
  const node = tree.kind === "map" ? tree.entries.get("extends")?.node : undefined
  if (node === undefined) return Result.succeed([])
  if (node.kind !== "list") return Result.map(extension(node, ["extends"]), (one) => [one])
  return Result.all(node.items.map((item, i) => extension(item, ["extends", i])))
}

/** Takes `extends` away: it has been followed. */
export const withoutExtends = (tree: Tree): Tree =>
  tree.kind === "map" ? { ...tree, entries: new Map([...tree.entries].filter(([key]) => key !== "extends")) } : tree
