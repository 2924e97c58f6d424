/** What the manifest's schema gives to keys that are left out. */
import { Manifest } from "@gradus/domain/manifest/Manifest"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { discriminatorOf } from "./Shape.ts"

/** Finds the default of a key, by decoding a map without it. */
export const defaultOf = (property: SchemaAST.PropertySignature): Option.Option<unknown> => {
  if (property.type.encoding === undefined) return Option.none()
  const alone = Schema.make(new SchemaAST.Objects([property], [])) as Schema.Codec<Record<string, unknown>>
  return Option.map(Schema.decodeOption(alone)({}), (value) => value[String(property.name)])
}

/** Finds which kind a top-level key has when it is left out: `trainer` is embedded, `curriculum` gaussian. */
export const defaultKind = (name: string): { readonly key: string; readonly kind: string } | undefined => {
  const property = Manifest.ast.propertySignatures.find((candidate) => candidate.name === name)
  const discriminator = property && SchemaAST.isUnion(property.type) ? discriminatorOf(property.type) : undefined
  if (property === undefined || discriminator === undefined) return undefined
  const { key } = discriminator
  const value = Option.getOrUndefined(defaultOf(property)) as Record<string, unknown> | undefined
  return value === undefined ? undefined : { key, kind: String(value[key]) }
}
