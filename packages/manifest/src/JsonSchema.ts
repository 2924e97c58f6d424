/** The manifest as written, as a draft-07 JSON Schema for editors: generated from the schema in domain. */
import { Manifest } from "@gradus/domain/manifest/Manifest"
import * as JsonSchemaDocument from "effect/JsonSchema"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { defaultOf } from "./internal/Default.ts"

type Json = { [key: string]: unknown }

const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

/** Effect leaves out patterns without the unicode flag; ours mean the same with it. */
const patternsOf = (ast: SchemaAST.AST): ReadonlyArray<string> =>
  (ast.checks ?? []).flatMap((check) => {
    const { id, payload } = (check.annotations?.["representation"] ?? {}) as { id?: string; payload?: Json | null }
    return id?.endsWith("/isPattern") && typeof payload?.["source"] === "string" ? [payload["source"]] : []
  })

/** Adds patterns and defaults to the JSON Schema of `ast`, walking both together. */
const complete = (ast: SchemaAST.AST, json: Json): Json => {
  const members = json["anyOf"]
  if (SchemaAST.isUnion(ast) && Array.isArray(members))
    return { ...json, anyOf: members.map((member, i) => complete(ast.types[i]!, member)) }
  if (SchemaAST.isArrays(ast)) return completeList(ast, json)
  if (SchemaAST.isObjects(ast)) return completeMap(ast, json)
  const [pattern, ...others] = patternsOf(ast)
  if (pattern === undefined) return json
  return { ...json, pattern, ...(others.length > 0 ? { allOf: others.map((other) => ({ pattern: other })) } : {}) }
}

const completeList = (ast: SchemaAST.Arrays, json: Json): Json => {
  const rest = ast.rest[0]
  const { items, additionalItems } = json
  return {
    ...json,
    ...(Array.isArray(items) ? { items: items.map((item, i) => complete(ast.elements[i]!, item)) } : {}),
    ...(isJson(items) && rest ? { items: complete(rest, items) } : {}),
    ...(isJson(additionalItems) && rest ? { additionalItems: complete(rest, additionalItems) } : {})
  }
}

const completeMap = (ast: SchemaAST.Objects, json: Json): Json => {
  const properties = json["properties"] as Json
  const completed = ast.propertySignatures.map((property) => {
    const name = String(property.name)
    const value = complete(property.type, properties[name] as Json)
    return [name, Option.match(defaultOf(property), { onNone: () => value, onSome: (d) => ({ ...value, default: d }) })]
  })
  return { ...json, properties: Object.fromEntries(completed) }
}

/** What a file that extends another may leave out: everything, but lists are written whole. */
const partial = (json: unknown): unknown => {
  if (!isJson(json)) return json
  const { required: _, ...rest } = json
  const properties = rest["properties"]
  const members = rest["anyOf"]
  return {
    ...rest,
    ...(isJson(properties)
      ? { properties: Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, partial(value)])) }
      : {}),
    ...(Array.isArray(members) ? { anyOf: members.map(partial) } : {})
  }
}

const extendsKey: Json = {
  description: "Files that this one is laid over, relative to it.",
  anyOf: [
    { type: "string", minLength: 1 },
    { type: "array", items: { type: "string", minLength: 1 } }
  ]
}

const withExtends = (json: Json): Json => ({
  ...json,
  properties: { extends: extendsKey, ...(json["properties"] as Json) }
})

/** Makes the draft-07 schema of a manifest file: keys with a default are optional, unknown keys are not allowed, and a file with `extends` may leave out anything. */
export const jsonSchema = (): object => {
  const document = JsonSchemaDocument.toDocumentDraft07(
    Schema.toJsonSchemaDocument(Manifest, { onExcessProperty: "error" })
  )
  const whole = complete(Manifest.ast, document.schema as Json)
  return {
    $schema: JsonSchemaDocument.META_SCHEMA_URI_DRAFT_07,
    title: "Gradus manifest, version 1",
    if: { type: "object", required: ["extends"] },
    // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
    then: { $ref: "#/definitions/partial" },
    else: { $ref: "#/definitions/whole" },
    definitions: {
      whole,
      partial: withExtends(partial(whole) as Json),
      ...document.definitions
    }
  }
}
