/** The schema's verdict on a manifest, said to people: one short line a problem, at the place where it is written. */
import * as SchemaAST from "effect/SchemaAST"
import type * as SchemaIssue from "effect/SchemaIssue"
import { issueAt } from "./internal/IssueAt.ts"
import { requirement } from "./internal/Requirement.ts"
import { discriminatorOf, found, keysOf, literalsOf, wanted } from "./internal/Shape.ts"
import type { ManifestIssue } from "./ManifestInvalid.ts"
import { nearest } from "./Suggest.ts"
import { childAt, locate, locateKey, nodeAt, type Path, type PathPart, toValue, type Tree } from "./Tree.ts"

/** Turns the tree of a failed decoding into problems. A union of maps speaks for the member that its discriminator names. */
export const describe = (tree: Tree, issue: SchemaIssue.Issue, path: Path = []): ReadonlyArray<ManifestIssue> => {
  switch (issue._tag) {
    case "Pointer":
      return describe(tree, issue.issue, [...path, ...(issue.path as ReadonlyArray<PathPart>)])
    case "Encoding":
      return describe(tree, issue.issue, path)
    case "Composite":
      return issue.issues.flatMap((inner) => describe(tree, inner, path))
    case "AnyOf": {
      const [member] = issue.issues
      return member === undefined ? [noMember(tree, issue.ast, path)] : describe(tree, member, path)
    }
    case "Filter":
      return [issueAt(locate(tree, path), path, requirement(issue))]
    case "UnexpectedKey":
      return [unexpected(tree, issue.ast, path)]
    case "MissingKey":
      return [missing(tree, path)]
    case "InvalidType":
      return [wrongType(tree, issue.ast, path)]
    default:
      return [issueAt(locate(tree, path), path, "is not a valid value")]
  }
}

const unexpected = (tree: Tree, ast: SchemaAST.AST, path: Path): ManifestIssue => {
  const key = path.at(-1)
  if (typeof key === "number") return issueAt(locate(tree, path), path, "is one item too many")
  const allowed = path.length === 1 ? [...keysOf(ast), "extends"] : keysOf(ast)
  return issueAt(locateKey(tree, path), path, "unknown key", nearest(String(key), allowed))
}

const missing = (tree: Tree, path: Path): ManifestIssue => {
  const message = typeof path.at(-1) === "number" ? "the list is too short" : "is required, but missing"
  const parent = path.slice(0, -1)
  return issueAt(parent.length === 0 ? tree.at : locateKey(tree, parent), path, message)
}

const isSecret = (ast: SchemaAST.AST): boolean => keysOf(ast).join() === "env"

const wrongType = (tree: Tree, ast: SchemaAST.AST, path: Path): ManifestIssue => {
  const node = nodeAt(tree, path)
  const place = locate(tree, path)
  if (isSecret(ast)) return issueAt(place, path, "a secret is named, never written: use { env: NAME }")
  const literals = literalsOf(ast)
  if (literals.length > 0) return notLiteral(tree, literals, path)
  return issueAt(place, path, `must be ${wanted(ast)}, not ${found(node && toValue(node))}`)
}

const notLiteral = (tree: Tree, literals: ReadonlyArray<SchemaAST.LiteralValue>, path: Path): ManifestIssue => {
  const node = nodeAt(tree, path)
  const written = node?.kind === "scalar" && typeof node.value === "string" ? node.value : undefined
  const hint = written === undefined ? undefined : nearest(written, literals.map(String))
  const message = literals.length === 1 ? `must be ${String(literals[0])}` : `must be one of ${literals.join(", ")}`
  return issueAt(locate(tree, path), path, message, hint)
}

/** No member of a union fits: a wrong literal, no map, or a map whose discriminator is missing or wrong. */
const noMember = (tree: Tree, union: SchemaAST.Union, path: Path): ManifestIssue => {
  const literals = literalsOf(union)
  if (literals.length > 0) return notLiteral(tree, literals, path)
  const discriminator = discriminatorOf(union)
  const node = nodeAt(tree, path)
  if (discriminator === undefined || node?.kind !== "map")
    return issueAt(locate(tree, path), path, `must be a map, not ${found(node && toValue(node))}`)
  const { key, kinds } = discriminator
  const at = [...path, key]
  if (childAt(node, key) !== undefined) return notLiteral(tree, kinds, at)
  return issueAt(locateKey(tree, path), at, `is required, but missing; one of ${kinds.join(", ")}`)
}
