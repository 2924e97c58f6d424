/** The manifest that a run began with, as it lies in resolved.json: believed only where it still has the digest that is written beside it. */
import { Lineage } from "@gradus/domain/Lineage"
import { type Provenance, provenance } from "@gradus/manifest/Provenance"
import { identity } from "@gradus/manifest/Resolve"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { exists, readJson } from "./AtomicFile.ts"
import { firstDifference } from "./Difference.ts"
import { ResolvedFile } from "./ReadRun.ts"
import { RunChanged } from "./RunChanged.ts"
import type { RunDirectory } from "./RunDirectory.ts"

/** A manifest with its digest, and where each of its values came from. */
export type Identified = Pick<typeof ResolvedFile.Type, "manifest" | "digest" | "provenance">

type Value = Pick<Provenance, "path" | "value">
const isValue = Schema.is(Schema.Struct({ path: Schema.String, value: Schema.Unknown }))

/** Whether two paths are one, or one of them lies inside the other: a list of several origins is listed by its items. */
const overlap = (a: string, b: string): boolean => a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`)

/** The first value that is another, more or less than its provenance says. */
const unlike = (before: ReadonlyArray<Value>, now: ReadonlyArray<Value>): string | undefined => {
  const values = new Map(now.map(({ path, value }) => [path, value]))
  const changed = before.find(
    ({ path, value }) => values.has(path) && firstDifference(value, values.get(path)) !== undefined
  )
  if (changed !== undefined) return changed.path
  const alone = (these: ReadonlyArray<Value>, those: ReadonlyArray<Value>) =>
    these.find((one) => !those.some(({ path }) => overlap(path, one.path)))?.path
  return alone(before, now) ?? alone(now, before)
}

/**
 * Names what has changed in a manifest since its digest was taken; undefined where it has that digest. Provenance says what each value was, overrides
 * and extended files included; a run without it (a sweep's cell) is told of its manifest as a whole.
 */
export const changedSince = ({ digest, manifest, provenance: stored }: Identified): string | undefined => {
  if (identity(manifest) === digest) return undefined
  const before = stored.filter(isValue)
  return (before.length === 0 ? undefined : unlike(before, provenance(manifest, undefined))) ?? "manifest"
}

/** Fails where the manifest of a run directory, or its digest, is not what the run began with. */
export const checkStored = Effect.fn("StoredManifest.check")(function* (stored: Identified, directory: RunDirectory) {
  const changed = changedSince(stored)
  if (changed !== undefined) return yield* new RunChanged({ directory: directory.root, field: changed })
  if (!(yield* exists(directory.lineage))) return
  // a manifest that was changed together with its digest: the lineage, which is written after both, has the one of then
  const { manifest_digest } = yield* readJson(Lineage, directory.lineage)
  if (manifest_digest !== stored.digest) return yield* new RunChanged({ directory: directory.root, field: "manifest" })
})

/** Reads the manifest of a run directory, and checks it. */
export const readStored = Effect.fn("StoredManifest.read")(function* (directory: RunDirectory) {
  const stored = yield* readJson(ResolvedFile, directory.resolved)
  yield* checkStored(stored, directory)
  return stored
})
