/** A sweep's text to its spec and its arms; everything that is wrong with it is said by file:line:col. Pure. */
import { describe } from "@gradus/manifest/Describe"
import { type ManifestIssue, ManifestInvalid } from "@gradus/manifest/ManifestInvalid"
import type { ManifestSource } from "@gradus/manifest/Resolve"
import { nodeAt, toValue, type Tree } from "@gradus/manifest/Tree"
import { parse } from "@gradus/manifest/Yaml"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Arm } from "./ArmName.ts"
import { armsOf, unique } from "./Arms.ts"
import { SweepSpec } from "./Spec.ts"
import { issueAt } from "./SweepIssue.ts"

export interface Sweep {
  readonly spec: SweepSpec
  readonly arms: ReadonlyArray<Arm>
  /** The sweep as written, for the places of mistakes that only its base shows. */
  readonly tree: Tree
}

const decode = Schema.decodeUnknownResult(SweepSpec)

/** Fails with problems, of which there is at least one. */
export const invalid = (issues: ReadonlyArray<ManifestIssue>): ManifestInvalid => {
  const [first, ...rest] = issues
  return new ManifestInvalid({ issues: [first!, ...rest] })
}

const seedsTwice = (spec: SweepSpec, tree: Tree): ReadonlyArray<ManifestIssue> =>
  spec.seeds.flatMap((seed, i) =>
    spec.seeds.indexOf(seed) === i
      ? []
      : [issueAt(nodeAt(tree, ["seeds", i])?.at ?? tree.at, ["seeds", i], `seed ${seed} is listed twice`)]
  )

const baselineUnknown = (spec: SweepSpec, arms: ReadonlyArray<Arm>, tree: Tree): ReadonlyArray<ManifestIssue> => {
  if (spec.baseline === undefined || arms.some(({ name }) => name === spec.baseline)) return []
  const names = arms.slice(0, 8).map(({ name }) => name)
  const place = nodeAt(tree, ["baseline"])?.at ?? tree.at
  return [issueAt(place, ["baseline"], `is no arm; arms are ${names.join(" | ")}${arms.length > 8 ? " | …" : ""}`)]
}

const rungsOutOfOrder = (spec: SweepSpec, tree: Tree): ReadonlyArray<ManifestIssue> => {
  const rungs = spec.early_stop?.rungs ?? []
  return rungs.every((rung, i) => i === 0 || rung > (rungs[i - 1] ?? 0))
    ? []
    : [issueAt(nodeAt(tree, ["early_stop", "rungs"])?.at ?? tree.at, ["early_stop", "rungs"], "must rise")]
}

/** The arm that others are compared with: the first where none is named. */
export const baselineOf = ({ arms, spec }: Pick<Sweep, "arms" | "spec">): string => spec.baseline ?? arms[0]?.name ?? ""

/** Reads a sweep. Fails with ManifestInvalid. */
export const readSweep = ({ file, text }: ManifestSource): Result.Result<Sweep, ManifestInvalid> => {
  const tree = parse({ kind: "file", file }, text)
  if (Result.isFailure(tree)) return Result.fail(invalid(tree.failure))
  const decoded = decode(toValue(tree.success), { errors: "all", onExcessProperty: "error" })
  if (Result.isFailure(decoded)) return Result.fail(invalid(describe(tree.success, decoded.failure.issue)))
  const spec = decoded.success
  const arms = armsOf(spec, tree.success)
  const issues = [
    ...seedsTwice(spec, tree.success),
    ...rungsOutOfOrder(spec, tree.success),
    ...(Result.isFailure(arms) ? arms.failure : baselineUnknown(spec, arms.success, tree.success))
  ]
  if (Result.isFailure(arms) || issues.length > 0) return Result.fail(invalid(unique(issues)))
  return Result.succeed({ spec, arms: arms.success, tree: tree.success })
}
