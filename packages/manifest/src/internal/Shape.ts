/** What the manifest's schema allows at a place: its keys, its literal values, its kinds. */
import * as SchemaAST from "effect/SchemaAST"

/** Gives the keys of a map. */
export const keysOf = (ast: SchemaAST.AST): ReadonlyArray<string> =>
  SchemaAST.isObjects(ast) ? ast.propertySignatures.map((property) => String(property.name)) : []

/** Gives the values of a union of literals, or none where it is another schema. */
export const literalsOf = (ast: SchemaAST.AST): ReadonlyArray<SchemaAST.LiteralValue> => {
  if (SchemaAST.isLiteral(ast)) return [ast.literal]
  if (!SchemaAST.isUnion(ast)) return []
  const members = ast.types.map(literalsOf)
  return members.some((literals) => literals.length === 0) ? [] : members.flat()
}

const literalAt = (ast: SchemaAST.AST, key: string): SchemaAST.LiteralValue | undefined => {
  if (!SchemaAST.isObjects(ast)) return undefined
  const property = ast.propertySignatures.find((candidate) => candidate.name === key)
  return property !== undefined && SchemaAST.isLiteral(property.type) ? property.type.literal : undefined
}

/** Finds the key by which the members of a union of maps differ, and its values. */
export const discriminatorOf = (
  union: SchemaAST.Union
): { readonly key: string; readonly kinds: ReadonlyArray<string> } | undefined => {
  for (const key of keysOf(union.types[0] ?? union)) {
    const kinds = union.types.map((member) => literalAt(member, key))
    if (kinds.every((kind) => kind !== undefined)) return { key, kinds: kinds.map(String) }
  }
  return undefined
}

/** Says what a schema wants, in a few words. */
export const wanted = (ast: SchemaAST.AST): string => {
  if (SchemaAST.isString(ast)) return "a text"
  if (SchemaAST.isNumber(ast)) return "a number"
  if (SchemaAST.isBoolean(ast)) return "true or false"
  if (SchemaAST.isArrays(ast)) return "a list"
  if (SchemaAST.isObjects(ast)) return "a map"
  const literals = literalsOf(ast)
  if (literals.length === 1) return String(literals[0])
  if (literals.length > 1) return `one of ${literals.join(", ")}`
  return "another value"
}

/** Says what a value is, never what it says: it may be a secret. */
export const found = (value: unknown): string => {
  if (value === null || value === undefined) return "nothing"
  if (Array.isArray(value)) return "a list"
  if (typeof value === "string") return "a text"
  if (typeof value === "number") return "a number"
  return typeof value === "boolean" ? "true or false" : "a map"
}
