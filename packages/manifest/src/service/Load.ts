/** Manifest files from disk: the one asked for and all that it extends, then resolved. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type * as PlatformError from "effect/PlatformError"
import * as Result from "effect/Result"
import { decode } from "../Encoding.ts"
import { type Extension, extensions } from "../Extends.ts"
import { issueAt } from "../internal/IssueAt.ts"
import { maxBytes, maxChain, maxFiles } from "../internal/Limits.ts"
import { type ManifestIssue, ManifestInvalid } from "../ManifestInvalid.ts"
import { ManifestUnreadable } from "../ManifestUnreadable.ts"
import { type ManifestSource, resolve, type ResolvedManifest } from "../Resolve.ts"
import { parse } from "../Yaml.ts"

export interface LoadedManifest extends ResolvedManifest {
  /** Absolute directory of the file that was asked for: what paths in the manifest are relative to. */
  readonly directory: string
  /** The files as they were read, base first. */
  readonly sources: ReadonlyArray<ManifestSource>
}

const invalid = (issue: ManifestIssue) => new ManifestInvalid({ issues: [issue] })

const reasonOf = (error: PlatformError.PlatformError): string => {
  const reasons: Record<string, string> = {
    NotFound: "no such file",
    PermissionDenied: "permission denied",
    BadResource: "cannot be read"
  }
  return reasons[error.reason._tag] ?? "cannot be read"
}

/** Reads a file, but only when its size says that it can be a manifest. */
const readText = Effect.fnUntraced(function* (file: string) {
  const files = yield* FileSystem.FileSystem
  const place = { source: { kind: "file", file }, line: 1, col: 1 } as const
  const unreadable = Effect.mapError(
    (error: PlatformError.PlatformError) => new ManifestUnreadable({ file, reason: reasonOf(error) })
  )
  const info = yield* unreadable(files.stat(file))
  if (info.type !== "File") return yield* new ManifestUnreadable({ file, reason: "is not a regular file" })
  const size = Number(info.size)
  if (size > maxBytes)
    return yield* invalid(issueAt(place, [], `is ${(size / maxBytes).toFixed(1)} MiB; at most 1 MiB is read`))
  const bytes = yield* unreadable(files.readFile(file))
  return yield* Effect.mapError(Effect.fromResult(decode(file, bytes)), invalid)
})

/** Follows `extends` depth first, so that sources come base first. `chain` holds the absolute paths from the file asked for to this one. */
const follow = (
  file: string,
  chain: ReadonlyArray<string>,
  sources: Array<ManifestSource>
): Effect.Effect<void, ManifestInvalid | ManifestUnreadable, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const paths = yield* Path.Path
    const text = yield* readText(file)
    const tree = parse({ kind: "file", file }, text)
    const extended = Result.isSuccess(tree) ? extensions(tree.success) : Result.succeed([])
    // A file that is no YAML extends nothing: resolve says what is wrong with it.
    for (const extension of yield* Effect.mapError(Effect.fromResult(extended), invalid)) {
      const base = paths.join(paths.dirname(file), extension.target)
      const absolute = paths.resolve(base)
      const refused = refusal(extension, absolute, chain, sources.length)
      if (refused !== undefined) return yield* invalid(refused)
      yield* follow(base, [...chain, absolute], sources).pipe(
        Effect.catchTag("ManifestUnreadable", (error) =>
          Effect.fail(invalid(issueAt(extension.at, extension.path, `cannot be followed: ${error.message}`)))
        )
      )
    }
    sources.push({ file, text })
  })

const refusal = (
  { at, path }: Extension,
  absolute: string,
  chain: ReadonlyArray<string>,
  read: number
): ManifestIssue | undefined => {
  if (chain.includes(absolute)) return issueAt(at, path, "extends itself, directly or through others")
  if (chain.length > maxChain) return issueAt(at, path, `is more than ${maxChain} files deep`)
  return read >= maxFiles ? issueAt(at, path, `more than ${maxFiles} files are extended`) : undefined
}

/**
 * Loads and resolves the manifest at `path` with `path=value` overrides. Sizes are looked at before anything is read.
 * Fails with ManifestInvalid (problems with their places, also those of `extends`) or ManifestUnreadable (the file itself).
 */
export const load = Effect.fn("Manifest.load")(function* (path: string, overrides: ReadonlyArray<string> = []) {
  const paths = yield* Path.Path
  const absolute = paths.resolve(path)
  const sources: Array<ManifestSource> = []
  yield* follow(path, [absolute], sources)
  const resolved = yield* Effect.fromResult(resolve(sources, overrides))
  const loaded: LoadedManifest = { ...resolved, directory: paths.dirname(absolute), sources }
  return loaded
})
