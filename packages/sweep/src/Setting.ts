/** One value that a sweep sets: where in the manifest, what, and where that is written. */
import type { ManifestIssue } from "@gradus/manifest/ManifestInvalid"
import { parsePath } from "@gradus/manifest/Override"
import type { Path, Place, Tree } from "@gradus/manifest/Tree"
import * as Result from "effect/Result"
import { issueAt } from "./SweepIssue.ts"

export interface SweepSetting {
  /** As written, `curriculum.sigma`. */
  readonly name: string
  readonly path: Path
  readonly value: Tree
  /** Where its key stands in the sweep. */
  readonly at: Place
}

/** Keys of a manifest that change no result, and those that a sweep sets otherwise. */
const REFUSED: Readonly<Record<string, string>> = {
  seed: "seeds are an axis of their own, never a parameter; list them under `seeds`",
  version: "cannot be swept",
  extends: "cannot be swept; name the file under `base`",
  name: "changes no result, so it cannot be swept",
  description: "changes no result, so it cannot be swept",
  report: "changes no result, so it cannot be swept",
  track: "changes no result, so it cannot be swept",
  "trainer.url": "changes no result, so it cannot be swept",
  "trainer.token": "changes no result, so it cannot be swept"
}

const UNSAFE = new Set(["__proto__", "constructor", "prototype"])

/** Reads a setting's path, or says why it cannot be set. `within`: where in the sweep it stands. */
export const setting = (
  name: string,
  value: Tree,
  at: Place,
  within: Path
): Result.Result<SweepSetting, ManifestIssue> => {
  const here = [...within, name]
  const path = parsePath(name)
  if (path === undefined || path.some((part) => UNSAFE.has(String(part))))
    return Result.fail(issueAt(at, here, "is no path of a manifest, like `curriculum.sigma`"))
  const refused = REFUSED[String(path[0])] ?? REFUSED[path.slice(0, 2).join(".")]
  return refused === undefined ? Result.succeed({ name, path, value, at }) : Result.fail(issueAt(at, here, refused))
}

const covers = (a: Path, b: Path): boolean => a.every((part, i) => String(b[i]) === String(part))

/** Finds settings of one arm of which one would overwrite the other. */
export const overlaps = (settings: ReadonlyArray<SweepSetting>): ReadonlyArray<ManifestIssue> =>
  settings.flatMap((later, i) => {
    const earlier = settings.slice(0, i).find(({ path }) => covers(path, later.path) || covers(later.path, path))
    if (earlier === undefined) return []
    const line = `line ${earlier.at.line}`
    return [issueAt(later.at, later.path, `is set twice: \`${earlier.name}\` on ${line} covers the same value`)]
  })
