/** The axes of a sweep multiplied out: every arm with its name and its settings, each of which knows where it was written. Pure. */
import { canonicalJson } from "@gradus/domain/Digest"
import * as Seed from "@gradus/domain/Seed"
import type { ManifestIssue } from "@gradus/manifest/ManifestInvalid"
import { childAt, type Entry, nodeAt, type Path, type Place, type Tree, toValue } from "@gradus/manifest/Tree"
import * as Result from "effect/Result"
import { type Arm, named, shown } from "./ArmName.ts"
import { distributionProblem, draw } from "./Draw.ts"
import { overlaps, setting, type SweepSetting } from "./Setting.ts"
import type { Distribution, SweepSpec } from "./Spec.ts"
import { issueAt } from "./SweepIssue.ts"

type Points = Result.Result<ReadonlyArray<Arm>, ReadonlyArray<ManifestIssue>>

/** More arms than this are a mistake, and would not fit a plan. */
const MOST_ARMS = 100_000

const entriesOf = (tree: Tree | undefined): ReadonlyArray<readonly [string, Entry]> =>
  tree?.kind === "map" ? [...tree.entries] : []
const itemsOf = (tree: Tree | undefined): ReadonlyArray<Tree> => (tree?.kind === "list" ? tree.items : [])

const allOf = <A>(
  results: ReadonlyArray<Result.Result<A, ReadonlyArray<ManifestIssue>>>
): Result.Result<ReadonlyArray<A>, ReadonlyArray<ManifestIssue>> => {
  const issues = results.flatMap((one) => (Result.isFailure(one) ? one.failure : []))
  return issues.length > 0
    ? Result.fail(issues)
    : Result.succeed(results.flatMap((one) => (Result.isSuccess(one) ? [one.success] : [])))
}

/** The settings of a map, as `set` and the items of `list` are written. */
export const settingsOf = (
  tree: Tree | undefined,
  within: Path
): Result.Result<ReadonlyArray<SweepSetting>, ReadonlyArray<ManifestIssue>> =>
  allOf(
    entriesOf(tree).map(([name, { key, node }]) => Result.mapError(setting(name, node, key, within), (one) => [one]))
  )

/** Each path's values as points. A value that is written twice is an error: it would be two arms with one name. */
const valuesOf = (tree: Tree | undefined, within: Path): ReadonlyArray<Points> =>
  entriesOf(tree).map(([name, { key, node }]) => {
    const seen = new Map<string, Place>()
    const repeated = itemsOf(node).flatMap((value) => {
      const text = canonicalJson(toValue(value))
      const first = seen.get(text)
      seen.set(text, first ?? value.at)
      return first === undefined
        ? []
        : [issueAt(value.at, [...within, name], `the same value stands on line ${first.line}`)]
    })
    const points = allOf(
      itemsOf(node).map((value) =>
        setting(name, value, key, within).pipe(
          Result.mapError((one) => [one]),
          Result.map((one): Arm => ({ name: shown(name, value), settings: [one] }))
        )
      )
    )
    return repeated.length > 0 ? Result.fail(repeated) : points
  })

const together = (arms: ReadonlyArray<Arm>): Arm => ({
  name: arms
    .map(({ name }) => name)
    .filter((name) => name !== "")
    .join(", "),
  settings: arms.flatMap(({ settings }) => settings)
})

/** Multiplies axes: the last one moves fastest. */
const product = (axes: ReadonlyArray<ReadonlyArray<Arm>>): ReadonlyArray<Arm> =>
  axes.reduce<ReadonlyArray<Arm>>(
    (before, points) => before.flatMap((arm) => points.map((point) => together([arm, point]))),
    [{ name: "", settings: [] }]
  )

const grid = (tree: Tree, within: Path): Points => Result.map(allOf(valuesOf(tree, within)), product)

const list = (tree: Tree, within: Path): Points =>
  allOf(
    entriesOf(tree).map(([name, { node }]) =>
      Result.map(settingsOf(node, [...within, name]), (settings): Arm => ({ name, settings }))
    )
  )

/** Repeated values are meant here: it is the rows that must differ, and two equal ones are one cell twice, which is found later. */
const linked = (tree: Tree, within: Path): Points => {
  const columns = entriesOf(tree)
  const [first] = columns
  const rows = itemsOf(first?.[1].node).length
  const uneven = columns.filter(([, { node }]) => itemsOf(node).length !== rows)
  if (uneven.length > 0)
    return Result.fail(
      uneven.map(([name, { key, node }]) =>
        issueAt(key, [...within, name], `has ${itemsOf(node).length} values where \`${first?.[0]}\` has ${rows}`)
      )
    )
  return allOf(
    Array.from({ length: rows }, (_, row) =>
      Result.map(
        allOf(
          columns.map(([name, { key, node }]) =>
            Result.mapError(setting(name, itemsOf(node)[row] ?? node, key, within), (one) => [one])
          )
        ),
        (settings): Arm => ({ name: settings.map(({ name, value }) => shown(name, value)).join(", "), settings })
      )
    )
  )
}

/** A drawn value as a tree, all of it written where its distribution stands. */
const treeOf = (value: unknown, at: Place): Tree => {
  if (Array.isArray(value)) return { kind: "list", at, items: value.map((item) => treeOf(item, at)) }
  if (typeof value === "object" && value !== null)
    return {
      kind: "map",
      at,
      entries: new Map(Object.entries(value).map(([key, inner]) => [key, { key: at, node: treeOf(inner, at) }]))
    }
  return { kind: "scalar", at, value: value as string | number | boolean | null }
}

/** A point that was drawn before is the same cells again: it is taken once. */
const distinct = (arms: ReadonlyArray<Arm>): ReadonlyArray<Arm> => {
  const seen = new Set<string>()
  return arms.filter(({ settings }) => {
    const key = canonicalJson(settings.map(({ name, value }) => [name, toValue(value)]))
    return !seen.has(key) && seen.add(key)
  })
}

const random = (
  spec: NonNullable<SweepSpec["axes"][number]["random"]>,
  tree: Tree,
  within: Path,
  sweep: string
): Points => {
  const node = childAt(tree, "parameters")
  const place = (name: string): Place => nodeAt(tree, ["parameters", name])?.at ?? tree.at
  const parameters = Object.entries<Distribution>(spec.parameters)
  const problems = parameters.flatMap(([name, distribution]) => {
    const problem = distributionProblem(distribution)
    return problem === undefined ? [] : [issueAt(place(name), [...within, "parameters", name], problem)]
  })
  if (problems.length > 0) return Result.fail(problems)
  const seed = Seed.child(Seed.root(spec.draw_seed), "sweep", sweep)
  const drawn = allOf(
    Array.from({ length: spec.draws }, (_, index) =>
      Result.map(
        allOf(
          parameters.map(([name, distribution]) => {
            const key = entriesOf(node).find(([own]) => own === name)?.[1].key ?? tree.at
            const value = treeOf(draw(distribution, Seed.child(seed, name, index)), place(name))
            return Result.mapError(setting(name, value, key, [...within, "parameters"]), (one) => [one])
          })
        ),
        (settings): Arm => ({
          name: `draw ${index + 1}: ${settings.map(({ name, value }) => shown(name, value)).join(", ")}`,
          settings
        })
      )
    )
  )
  return Result.map(drawn, distinct)
}

const axisPoints = (spec: SweepSpec, tree: Tree, index: number): Points => {
  const axis = spec.axes[index]
  const node = nodeAt(tree, ["axes", index])
  const kinds = Object.keys(axis ?? {})
  const kind = kinds[0]
  const inner = node === undefined || kind === undefined ? undefined : childAt(node, kind)
  if (kinds.length !== 1 || kind === undefined || inner === undefined)
    return Result.fail([
      issueAt(node?.at ?? tree.at, ["axes", index], "give one of grid, list, linked, random; axes multiply")
    ])
  const within = ["axes", index, kind]
  if (entriesOf(inner).length === 0) return Result.fail([issueAt(inner.at, within, "has nothing in it")])
  if (kind === "grid") return grid(inner, within)
  if (kind === "list") return list(inner, within)
  if (kind === "linked") return linked(inner, within)
  return axis?.random === undefined
    ? Result.fail([issueAt(inner.at, within, "is not a valid value")])
    : random(axis.random, inner, within, spec.name)
}

/** Makes the arms of a sweep, the first axis slowest; a sweep without axes has the one arm `base`. `tree` is the sweep as written. */
export const armsOf = (spec: SweepSpec, tree: Tree): Points => {
  const common = settingsOf(childAt(tree, "set"), ["set"])
  const axes = allOf(spec.axes.map((_, index) => axisPoints(spec, tree, index)))
  if (Result.isFailure(common)) return Result.fail([...common.failure, ...(Result.isFailure(axes) ? axes.failure : [])])
  if (Result.isFailure(axes)) return Result.fail(axes.failure)
  const count = axes.success.reduce((all, points) => all * points.length, 1)
  if (count * spec.seeds.length > MOST_ARMS)
    return Result.fail([issueAt(tree.at, ["axes"], `make ${count * spec.seeds.length} cells; at most ${MOST_ARMS}`)])
  const arms = named(product(axes.success)).map((arm) => ({
    name: arm.name === "" ? "base" : arm.name,
    settings: [...common.success, ...arm.settings]
  }))
  const conflicts = unique(arms.flatMap(({ settings }) => overlaps(settings)))
  return conflicts.length > 0 ? Result.fail(conflicts) : Result.succeed(arms)
}

/** The same problem is found in every arm that has it. */
export const unique = (issues: ReadonlyArray<ManifestIssue>): ReadonlyArray<ManifestIssue> => [
  ...new Map(issues.map((issue) => [`${issue.file}:${issue.line}:${issue.col}:${issue.path}`, issue])).values()
]
