/** A manifest key that may be left out: the manifest as written lacks it, the resolved manifest has it. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** Gives a schema a default for an absent key, and says so in its JSON Schema. `value` is in the form in which it would be written. */
export const defaulted = <S extends Schema.Top>(schema: S, value: S["Encoded"]) =>
  schema.pipe(Schema.withDecodingDefaultKey(Effect.succeed(value)))
