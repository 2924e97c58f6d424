/** A draft-07 validator for the keywords that our schema uses; it throws on any other, so that it cannot overlook one. */

type Json = Record<string, unknown>

const isMap = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

const typed: Record<string, (value: unknown) => boolean> = {
  object: isMap,
  array: Array.isArray,
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: Number.isInteger,
  boolean: (value) => typeof value === "boolean"
}

type Keyword = (value: unknown, argument: never, schema: Json, root: Json) => boolean

const number =
  (test: (value: number, bound: number) => boolean): Keyword =>
  (value, bound) =>
    typeof value !== "number" || test(value, bound)
const text =
  (test: (value: string, argument: never) => boolean): Keyword =>
  (value, argument) =>
    typeof value !== "string" || test(value, argument)
const list =
  (test: (value: ReadonlyArray<unknown>, argument: never, schema: Json, root: Json) => boolean): Keyword =>
  (value, argument, schema, root) =>
    !Array.isArray(value) || test(value, argument, schema, root)
const map =
  (test: (value: Json, argument: never, schema: Json, root: Json) => boolean): Keyword =>
  (value, argument, schema, root) =>
    !isMap(value) || test(value, argument, schema, root)
const always: Keyword = () => true

const keywords: Record<string, Keyword> = {
  type: (value, name: string) => typed[name]!(value),
  enum: (value, allowed: ReadonlyArray<unknown>) => allowed.includes(value),
  minimum: number((value, bound) => value >= bound),
  maximum: number((value, bound) => value <= bound),
  exclusiveMinimum: number((value, bound) => value > bound),
  minLength: text((value, length: number) => [...value].length >= length),
  pattern: text((value, pattern: string) => new RegExp(pattern, "u").test(value)),
  minItems: list((value, length: number) => value.length >= length),
  maxItems: list((value, length: number) => value.length <= length),
  items: list((value, items: Json | ReadonlyArray<Json>, schema, root) => {
    const after = (schema["additionalItems"] ?? {}) as Json
    return value.every((item, i) => valid(item, Array.isArray(items) ? (items[i] ?? after) : (items as Json), root))
  }),
  properties: map((value, properties: Record<string, Json>, _schema, root) =>
    Object.entries(properties).every(([key, schema]) => !Object.hasOwn(value, key) || valid(value[key], schema, root))
  ),
  required: map((value, keys: ReadonlyArray<string>) => keys.every((key) => Object.hasOwn(value, key))),
  additionalProperties: map((value, allowed: boolean, schema) => {
    const known = Object.keys((schema["properties"] ?? {}) as Json)
    return allowed || Object.keys(value).every((key) => known.includes(key))
  }),
  anyOf: (value, members: ReadonlyArray<Json>, _schema, root) => members.some((member) => valid(value, member, root)),
  allOf: (value, members: ReadonlyArray<Json>, _schema, root) => members.every((member) => valid(value, member, root)),
  if: (value, condition: Json, schema, root) =>
    valid(value, (valid(value, condition, root) ? schema["then"] : schema["else"]) as Json, root),
  $ref: (value, pointer: string, _schema, root) => {
    const target = pointer
      .split("/")
      .slice(1)
      .reduce<unknown>((node, part) => (node as Json)[part], root)
    return valid(value, target as Json, root)
  },
  ...Object.fromEntries(
    ["then", "else", "additionalItems", "default", "description", "title", "$schema", "definitions"].map((key) => [
      key,
      always
    ])
  )
}

/** Says whether a value is valid under a draft-07 schema. */
export const valid = (value: unknown, schema: Json, root: Json = schema): boolean =>
  Object.entries(schema).every(([key, argument]) => {
    const keyword = keywords[key]
    if (keyword === undefined) throw new Error(`${key} is no keyword that is known here`)
    // each keyword takes its own kind of argument, and the key has chosen it
    return keyword(value, argument as never, schema, root)
  })
