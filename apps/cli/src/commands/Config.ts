/** `gradus config check | show | schema`. */
import { jsonSchema } from "@gradus/manifest/JsonSchema"
import { load } from "@gradus/manifest/service/Load"
import { show as showText } from "@gradus/manifest/Show"
import * as Effect from "effect/Effect"
import { print, printJson } from "../Output.ts"

export interface ConfigOptions {
  readonly manifest: string
  readonly set: ReadonlyArray<string>
  readonly json: boolean
}

/** Checks a manifest; every error goes to standard error as `file:line:col path: message` (by the failure's message). */
export const check = Effect.fn("gradus.config.check")(function* (options: ConfigOptions) {
  const { digest, manifest } = yield* load(options.manifest, options.set)
  yield* options.json
    ? printJson({ ok: true, name: manifest.name, digest })
    : print(`${options.manifest}: ok, ${digest}`)
})

/** Shows the resolved manifest with where each value comes from. */
export const show = Effect.fn("gradus.config.show")(function* (options: ConfigOptions) {
  const loaded = yield* load(options.manifest, options.set)
  const { digest, manifest, provenance } = loaded
  yield* options.json ? printJson({ digest, manifest, provenance }) : print(showText(loaded).trimEnd())
})

/** Prints the draft-07 JSON Schema of manifests, for editors. */
export const schema = Effect.fn("gradus.config.schema")(function* () {
  yield* print(JSON.stringify(jsonSchema(), null, 2))
})
