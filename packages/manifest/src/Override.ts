/** `-s a.b=c`: one value set over what the files say. */
import * as Result from "effect/Result"
import { defaultKind } from "./internal/Default.ts"
import { issueAt } from "./internal/IssueAt.ts"
import type { ManifestIssue } from "./ManifestInvalid.ts"
import type { Entry, Path, Place, Tree } from "./Tree.ts"
import { parse } from "./Yaml.ts"

const secretWord = /(^|[_.])(api_?key|token|secret|password)$/i
const secretKey = /(api_?key|token|secret|password)["']?\s*:/i

const mayBeSecret = (path: string, value: string): boolean =>
  secretWord.test(path) || secretKey.test(value) || /:\/\/[^/]*@|:\/\/\S*[?#]|\$[{(]/.test(value)

/** An override longer than this is cut where it is shown. */
const widest = 120

/** How an override is shown, on one line: as written, without its value where that may be a secret. */
const shown = (path: string, value: string): string => {
  const text = `-s ${path}=${mayBeSecret(path, value) ? "…" : value}`.replaceAll(/[\p{Cc}\p{Cs}\u2028\u2029]/gu, " ")
  return text.length > widest ? `${text.slice(0, widest)}…` : text
}

/** Reads a path: `a.b[0].c` and `a.b.0.c` name the same place. Gives undefined for a text that names none. */
export const parsePath = (text: string): Path | undefined => {
  if (!/^[^.[\]]+(\.[^.[\]]+|\[\d{1,9}\])*$/.test(text)) return undefined
  return (text.match(/[^.[\]]+/g) ?? []).map((part) => (/^\d{1,9}$/.test(part) ? Number(part) : part))
}

/** A map that is made keeps the kind that its key has by default, so that `curriculum.sigma` can be set alone. */
const startOf = (path: Path): ReadonlyMap<string, Entry> => {
  const kind = path.length === 1 ? defaultKind(String(path[0])) : undefined
  const at: Place = { source: { kind: "default" }, line: 1, col: 1 }
  return new Map(kind && [[kind.key, { key: at, node: { kind: "scalar", at, value: kind.kind } }]])
}

/** Puts a value at a path (`done`: the part that is walked already). It replaces what stood there; maps on the way to it are made. */
export const set = (
  tree: Tree | undefined,
  path: Path,
  value: Tree,
  done: Path = []
): Result.Result<Tree, ManifestIssue> => {
  const [part, ...rest] = path
  if (part === undefined) return Result.succeed(value)
  const here = [...done, part]
  if (tree?.kind === "list") {
    if (typeof part !== "number" || part > tree.items.length)
      return Result.fail(issueAt(value.at, here, `the list has ${tree.items.length} items`))
    return Result.map(set(tree.items[part], rest, value, here), (item) => {
      const items = [...tree.items]
      items[part] = item
      return { ...tree, items }
    })
  }
  if (tree === undefined && typeof part === "number")
    return Result.fail(issueAt(value.at, here, "the list is not written in the manifest; set all of it"))
  if (tree?.kind === "scalar" && tree.value !== null && done.length > 0)
    return Result.fail(issueAt(value.at, here, "what is above it is a single value, not a map"))
  const entries = tree?.kind === "map" ? tree.entries : startOf(done)
  const name = String(part)
  return Result.map(set(entries.get(name)?.node, rest, value, here), (node): Tree => ({
    kind: "map",
    at: tree?.at ?? value.at,
    entries: new Map([...entries, [name, { key: entries.get(name)?.key ?? value.at, node }]])
  }))
}

/** Every place in an override is its begin: its text is its file name, so the whole of it is on the line that is shown. */
const placedAt = (tree: Tree, at: Place): Tree => {
  if (tree.kind === "scalar") return { ...tree, at }
  if (tree.kind === "list") return { ...tree, at, items: tree.items.map((item) => placedAt(item, at)) }
  const entries = [...tree.entries].map(([key, entry]) => [key, { key: at, node: placedAt(entry.node, at) }] as const)
  return { ...tree, at, entries: new Map(entries) }
}

/** Applies one override `path=value` (value: YAML). It replaces what stood at its path; maps on the way to it are made. */
export const override = (tree: Tree, text: string): Result.Result<Tree, ReadonlyArray<ManifestIssue>> => {
  const equals = text.indexOf("=")
  const [name, value] = equals < 0 ? [text, ""] : [text.slice(0, equals).trim(), text.slice(equals + 1)]
  const source = { kind: "override", text: equals < 0 ? "-s" : shown(name, value) } as const
  const at: Place = { source, line: 1, col: 1 }
  const path = equals < 0 ? undefined : parsePath(name)
  if (path === undefined)
    return Result.fail([issueAt(at, [], "an override is written path=value, like train.steps=10")])
  const bad = path.find((part) => part === "__proto__" || part === "constructor" || part === "prototype")
  if (bad !== undefined) return Result.fail([issueAt(at, path, "unknown key")])
  if (path[0] === "extends") return Result.fail([issueAt(at, path, "cannot be overridden")])
  return parse(source, value).pipe(
    Result.mapError((issues) => issues.map((issue) => issueAt(at, path, issue.message))),
    Result.flatMap((parsed) => Result.mapError(set(tree, path, placedAt(parsed, at)), (issue) => [issue]))
  )
}
