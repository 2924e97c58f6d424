/** Flags whose value is a YAML map, `{key: value}`, or a file with one: read and refused as manifests are. */
import { describe } from "@gradus/manifest/Describe"
import { ManifestInvalid } from "@gradus/manifest/ManifestInvalid"
import { toValue } from "@gradus/manifest/Tree"
import { parse } from "@gradus/manifest/Yaml"
import { readFile } from "@gradus/experiment/AtomicFile"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

const invalid = (issues: ManifestInvalid["issues"]) => new ManifestInvalid({ issues })

/** Decodes the value of a flag. Fails with every problem at once, by key. */
export const yamlFlag = Effect.fn("YamlFlag.read")(function* <
  S extends Schema.Top & { readonly DecodingServices: never }
>(flag: string, value: string, schema: S) {
  const isFile = /\.ya?ml$/u.test(value)
  const text = isFile ? new TextDecoder().decode(yield* readFile(value)) : value
  const source = isFile
    ? ({ kind: "file", file: value } as const)
    : ({ kind: "override", text: `--${flag} ${value}` } as const)
  const tree = parse(source, text)
  if (Result.isFailure(tree)) return yield* invalid(tree.failure as ManifestInvalid["issues"])
  const decoded = Schema.decodeUnknownResult(schema)(toValue(tree.success), {
    errors: "all",
    onExcessProperty: "error"
  })
  if (Result.isFailure(decoded))
    return yield* invalid(describe(tree.success, decoded.failure.issue) as ManifestInvalid["issues"])
  return decoded.success
})
