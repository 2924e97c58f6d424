/** Manifest files and overrides to one resolved manifest: parse, merge, override, decode, check. Pure. */
import * as Digest from "@gradus/domain/Digest"
import { Manifest } from "@gradus/domain/manifest/Manifest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { check } from "./Checks.ts"
import { describe } from "./Describe.ts"
import { extensions, withoutExtends } from "./Extends.ts"
import { type ManifestIssue, ManifestInvalid } from "./ManifestInvalid.ts"
import { merge } from "./Merge.ts"
import { override, set } from "./Override.ts"
import { type Provenance, provenance } from "./Provenance.ts"
import { type Path, toValue, type Tree } from "./Tree.ts"
import { unexpanded } from "./Unexpanded.ts"
import { read } from "./Yaml.ts"

/** One file's text. */
export interface ManifestSource {
  readonly file: string
  readonly text: string
}

export interface ResolvedManifest {
  readonly manifest: Manifest
  /** Files merged and overrides applied, before defaults. */
  readonly written: unknown
  /** Identity of what the manifest makes a run do: see `identity`. */
  readonly digest: Digest.Digest
  readonly provenance: ReadonlyArray<Provenance>
}

/** What is known of a manifest on its way: the tree so far, and the problems so far. */
interface Draft {
  readonly tree: Tree | undefined
  readonly issues: ReadonlyArray<ManifestIssue>
}

const decode = Schema.decodeUnknownResult(Manifest)
const encode = Schema.encodeSync(Manifest)

/** Hashes a manifest without what changes no result: name, description, report, trackers, and the address and token of a trainer service. */
export const identity = (manifest: Manifest): Digest.Digest => {
  const { name: _name, description: _description, report: _report, track: _track, trainer, ...rest } = encode(manifest)
  const { url: _url, token: _token, ...training } = { url: "", token: "", ...trainer }
  return Digest.ofJson({ ...rest, trainer: training })
}

const readOne = ({ file, text }: ManifestSource): Draft => {
  const { tree, issues } = read({ kind: "file", file }, text)
  if (tree === undefined) return { tree, issues }
  const extended = extensions(tree)
  if (Result.isFailure(extended)) return { tree: undefined, issues: [...issues, extended.failure] }
  return { tree: withoutExtends(tree), issues }
}

/** Lays the files over one another. One that cannot be read leaves nothing to check: what it lacks may be what it holds. */
const readAll = (sources: ReadonlyArray<ManifestSource>): Draft =>
  sources.map(readOne).reduce((below, above) => ({
    tree: below.tree && above.tree && merge(below.tree, above.tree),
    issues: [...below.issues, ...above.issues]
  }))

const overrideAll = (draft: Draft, overrides: ReadonlyArray<string>): Draft =>
  overrides.reduce<Draft>(({ tree, issues }, text) => {
    if (tree === undefined) return { tree, issues }
    const next = override(tree, text)
    return Result.isSuccess(next) ? { tree: next.success, issues } : { tree, issues: [...issues, ...next.failure] }
  }, draft)

const decodeAll = (tree: Tree): Result.Result<Manifest, ReadonlyArray<ManifestIssue>> => {
  const decoded = decode(toValue(tree), { errors: "all", onExcessProperty: "error" })
  const issues = [...unexpanded(tree), ...(Result.isFailure(decoded) ? describe(tree, decoded.failure.issue) : [])]
  if (Result.isFailure(decoded) || issues.length > 0) return Result.fail(issues)
  const failed = check(decoded.success, tree)
  return failed.length > 0 ? Result.fail(failed) : Result.succeed(decoded.success)
}

/** What was refused when it was read is not refused again for its type. */
const withoutRepeats = (issues: ReadonlyArray<ManifestIssue>): ReadonlyArray<ManifestIssue> => {
  const paths = new Set<string>()
  return issues.filter(({ file, line, col, path }) => {
    const key = `${file}:${line}:${col} ${path}`
    return !paths.has(key) && paths.add(key)
  })
}

/** By file, base first and overrides last, then by place. */
const inOrder = (
  issues: ReadonlyArray<ManifestIssue>,
  sources: ReadonlyArray<ManifestSource>
): ReadonlyArray<ManifestIssue> => {
  const files = [...new Set([...sources.map((source) => source.file), ...issues.map((issue) => issue.file)])]
  return issues.toSorted((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.col - b.col)
}

const invalid = (
  issues: ReadonlyArray<ManifestIssue>,
  sources: ReadonlyArray<ManifestSource>
): Result.Result<never, ManifestInvalid> => {
  const [first, ...rest] = inOrder(withoutRepeats(issues), sources)
  return Result.fail(new ManifestInvalid({ issues: [first!, ...rest] }))
}

/**
 * Resolves a manifest. `sources` (at least one) are ordered base first, the file that was asked for last, chains of `extends` already
 * followed; `overrides` are `path=value` texts, applied in order. Fails with all problems of syntax, keys and types at once, or, where
 * there are none, with all rules between values that are broken. Expands nothing and reads nothing.
 */
export const resolve = (
  sources: ReadonlyArray<ManifestSource>,
  overrides: ReadonlyArray<string> = []
): Result.Result<ResolvedManifest, ManifestInvalid> => {
  const { tree, issues } = overrideAll(readAll(sources), overrides)
  if (tree === undefined) return invalid(issues, sources)
  const decoded = decodeAll(tree)
  if (Result.isFailure(decoded)) return invalid([...issues, ...decoded.failure], sources)
  if (issues.length > 0) return invalid(issues, sources)
  const manifest = decoded.success
  return Result.succeed({
    manifest,
    written: toValue(tree),
    digest: identity(manifest),
    provenance: provenance(encode(manifest), tree)
  })
}

/** A value for a place of the manifest that was written elsewhere: a problem with it names the place where it was written. */
export interface Setting {
  readonly path: Path
  readonly value: Tree
}

/**
 * Reads a manifest's files once and gives a function that resolves them under settings, applied in order, as `resolve` does under overrides:
 * a sweep has thousands of those over one base. Provenance is left out.
 */
export const resolver = (sources: ReadonlyArray<ManifestSource>) => {
  const base = readAll(sources)
  return (
    settings: ReadonlyArray<Setting>
  ): Result.Result<Pick<ResolvedManifest, "manifest" | "digest">, ManifestInvalid> => {
    if (base.tree === undefined || base.issues.length > 0) return invalid(base.issues, sources)
    const laid = settings.reduce<Result.Result<Tree, ManifestIssue>>(
      (tree, { path, value }) => Result.flatMap(tree, (below) => set(below, path, value)),
      Result.succeed(base.tree)
    )
    if (Result.isFailure(laid)) return invalid([laid.failure], sources)
    const decoded = decodeAll(laid.success)
    if (Result.isFailure(decoded)) return invalid(decoded.failure, sources)
    return Result.succeed({ manifest: decoded.success, digest: identity(decoded.success) })
  }
}
