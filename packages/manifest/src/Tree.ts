/** A manifest's text as a tree in which every value and key knows where it was written. */

/** Where something was written. Lines and columns count from 1; an override has its own text as its file. */
export interface Place {
  readonly source:
    | { readonly kind: "file"; readonly file: string }
    | { readonly kind: "override"; readonly text: string }
    | { readonly kind: "default" }
  readonly line: number
  readonly col: number
}

export interface Entry {
  /** Where the key stands. */
  readonly key: Place
  readonly node: Tree
}

export type Tree =
  | { readonly kind: "map"; readonly at: Place; readonly entries: ReadonlyMap<string, Entry> }
  | { readonly kind: "list"; readonly at: Place; readonly items: ReadonlyArray<Tree> }
  | { readonly kind: "scalar"; readonly at: Place; readonly value: string | number | boolean | null }

export type PathPart = string | number
export type Path = ReadonlyArray<PathPart>

/** Writes a path as people do: `a.b[0]`; the empty path is `manifest`. */
export const formatPath = (path: Path): string =>
  path.length === 0
    ? "manifest"
    : path
        .map((part, i) => (typeof part === "number" ? `[${part}]` : i === 0 ? quoted(part) : `.${quoted(part)}`))
        .join("")

/** A key that is no plain name is shown as JSON and cut, so that it cannot break the line it is printed on. */
const quoted = (key: string): string =>
  /^[\w-]{1,64}$/.test(key) ? key : JSON.stringify(key.length > 40 ? `${key.slice(0, 40)}…` : key)

/** Takes one step down, or gives undefined where nothing is written. */
export const childAt = (tree: Tree, part: PathPart): Tree | undefined => {
  if (tree.kind === "map") return tree.entries.get(String(part))?.node
  return tree.kind === "list" && typeof part === "number" ? tree.items[part] : undefined
}

/** Finds what is written at a path, or undefined. */
export const nodeAt = (tree: Tree, path: Path): Tree | undefined =>
  path.reduce<Tree | undefined>((node, part) => (node === undefined ? undefined : childAt(node, part)), tree)

/** Finds the key at a path, where the path ends in a key that is written. */
const keyAt = (tree: Tree, path: Path): Place | undefined => {
  const parent = nodeAt(tree, path.slice(0, -1))
  return parent?.kind === "map" ? parent.entries.get(String(path.at(-1)))?.key : undefined
}

/** Says where a path is written: its value, or the key of its nearest written ancestor, or the tree's begin. */
export const locate = (tree: Tree, path: Path): Place => {
  const own = nodeAt(tree, path)
  if (own !== undefined) return own.at
  for (let depth = path.length - 1; depth > 0; depth--) {
    const ancestor = path.slice(0, depth)
    const place = keyAt(tree, ancestor) ?? nodeAt(tree, ancestor)?.at
    if (place !== undefined) return place
  }
  return tree.at
}

/** Says where the last key of a path is written, else as `locate`. */
export const locateKey = (tree: Tree, path: Path): Place => keyAt(tree, path) ?? locate(tree, path)

/** Drops the places: the plain value as written. */
export const toValue = (tree: Tree): unknown => {
  if (tree.kind === "scalar") return tree.value
  if (tree.kind === "list") return tree.items.map(toValue)
  return Object.fromEntries([...tree.entries].map(([key, entry]) => [key, toValue(entry.node)]))
}
