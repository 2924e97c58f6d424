/** Second pass: yaml's nodes become a tree with places; refuses keys and numbers that would not mean what they say. */
import type { LineCounter } from "yaml"
import * as Yaml from "yaml"
import type { ManifestIssue } from "../ManifestInvalid.ts"
import type { Entry, Path, Place, Tree } from "../Tree.ts"
import { issueAt } from "./IssueAt.ts"
import { maxValues } from "./Limits.ts"

/** Keys that reach into the prototypes of JavaScript objects. */
const forbiddenKeys = new Set(["__proto__", "constructor", "prototype"])

interface Anchored {
  readonly tree: Tree
  /** Values in it, aliases replaced. */
  readonly size: number
}

/** Turns the nodes of one document into a tree and collects the problems on the way. */
export class Builder {
  readonly issues: Array<ManifestIssue> = []
  readonly anchors = new Map<string, Anchored>()
  readonly source: Place["source"]
  readonly lines: LineCounter
  size = 0

  constructor(source: Place["source"], lines: LineCounter) {
    this.source = source
    this.lines = lines
  }

  placeAt(offset: number): Place {
    const { line, col } = this.lines.linePos(offset)
    return { source: this.source, line: Math.max(line, 1), col: Math.max(col, 1) }
  }

  refuse(place: Place, path: Path, message: string): void {
    this.issues.push(issueAt(place, path, message))
  }

  build(node: Yaml.Node | null, path: Path, fallback: Place): Tree {
    const place = node?.range ? this.placeAt(node.range[0]) : fallback
    const before = this.size
    this.size += 1
    const tree = this.shape(node, path, place)
    const anchor = Yaml.isNode(node) && !Yaml.isAlias(node) ? node.anchor : undefined
    if (anchor !== undefined) this.anchors.set(anchor, { tree, size: this.size - before })
    return tree
  }

  shape(node: Yaml.Node | null, path: Path, place: Place): Tree {
    if (Yaml.isAlias(node)) return this.alias(node, path, place)
    if (Yaml.isMap(node)) return this.map(node, path, place)
    if (Yaml.isSeq(node)) {
      const items = node.items.map((item, i) => this.build(item as Yaml.Node | null, [...path, i], place))
      return { kind: "list", at: place, items }
    }
    return { kind: "scalar", at: place, value: Yaml.isScalar(node) ? this.scalar(node, path, place) : null }
  }

  alias(node: Yaml.Alias, path: Path, place: Place): Tree {
    const target = this.anchors.get(node.source)
    if (target === undefined) {
      this.refuse(place, path, "this alias names no anchor written before it")
      return { kind: "scalar", at: place, value: null }
    }
    this.size += target.size
    if (this.size <= maxValues) return target.tree
    // Said once: every further alias of a bomb would repeat it.
    if (this.size - target.size <= maxValues)
      this.refuse(place, path, `aliases stand for more than ${maxValues} values`)
    return { kind: "scalar", at: place, value: null }
  }

  map(node: Yaml.YAMLMap, path: Path, place: Place): Tree {
    const entries = new Map<string, Entry>()
    for (const pair of node.items) {
      const keyNode = pair.key as Yaml.Node | null
      const key = keyNode?.range ? this.placeAt(keyNode.range[0]) : place
      if (keyNode !== null && !Yaml.isScalar(keyNode)) {
        this.refuse(key, path, "a key must be a plain text")
        continue
      }
      const name = String(keyNode?.value ?? "")
      const at = [...path, name]
      const refused = this.refuseKey(name, entries)
      if (refused !== undefined) this.refuse(key, at, refused)
      else entries.set(name, { key, node: this.build(pair.value as Yaml.Node | null, at, key) })
    }
    return { kind: "map", at: place, entries }
  }

  refuseKey(name: string, entries: ReadonlyMap<string, Entry>): string | undefined {
    if (forbiddenKeys.has(name)) return "unknown key"
    if (name === "<<") return "merge keys are not allowed; use extends"
    if (name.includes("\u0000") || !name.isWellFormed()) return "a key must be a plain text"
    const first = entries.get(name)
    return first === undefined ? undefined : `duplicate key; the first is on line ${first.key.line}`
  }

  scalar(node: Yaml.Scalar, path: Path, place: Place): string | number | boolean | null {
    const value = node.value
    if (typeof value === "string") {
      if (value.includes("\u0000")) this.refuse(place, path, "contains a NUL character")
      else if (!value.isWellFormed()) this.refuse(place, path, "contains half of a surrogate pair")
      return value
    }
    if (typeof value === "number") {
      const digits = /^[-+]?\.?[0-9]/.test(node.source ?? "")
      if (digits && (Number.isInteger(value) ? !Number.isSafeInteger(value) : !Number.isFinite(value)))
        this.refuse(place, path, "is out of range: integers are exact up to 2^53 - 1")
      return value
    }
    return typeof value === "boolean" ? value : null
  }
}
