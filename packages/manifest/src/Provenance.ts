/** Where every value of a resolved manifest came from. */
import { childAt, formatPath, type Path, type Place, type Tree } from "./Tree.ts"

export type Origin =
  | { readonly kind: "file"; readonly file: string; readonly line: number; readonly col: number }
  | { readonly kind: "override"; readonly text: string }
  | { readonly kind: "default" }

export interface Provenance {
  readonly path: string
  /** A scalar, or a list whose items all came from one place. */
  readonly value: unknown
  readonly from: Origin
}

const originOf = (place: Place): Origin =>
  place.source.kind === "file"
    ? { kind: "file", file: place.source.file, line: place.line, col: place.col }
    : place.source

const sameSource = (a: Place, b: Place): boolean =>
  a.source.kind === "file" && b.source.kind === "file"
    ? a.source.file === b.source.file
    : a.source.kind === "override" && b.source.kind === "override" && a.source.text === b.source.text

/** An item set by an override has another origin than the list that it is in. */
const isMixed = (tree: Tree | undefined): boolean =>
  tree?.kind === "list" && tree.items.some((item) => !sameSource(item.at, tree.at) || isMixed(item))

/** Lists the values of a resolved manifest in its order, each with its origin: what is not in the tree is a default. */
export const provenance = (value: unknown, tree: Tree | undefined, path: Path = []): ReadonlyArray<Provenance> => {
  if (Array.isArray(value) && isMixed(tree))
    return value.flatMap((item, i) => provenance(item, tree && childAt(tree, i), [...path, i]))
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return Object.entries(value).flatMap(([key, inner]) =>
      provenance(inner, tree && childAt(tree, key), [...path, key])
    )
  return [{ path: formatPath(path), value, from: tree === undefined ? { kind: "default" } : originOf(tree.at) }]
}
