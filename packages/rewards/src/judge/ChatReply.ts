/** A chat completion as OpenAI-compatible servers write it: the parts that a judge is read from. */
import * as Schema from "effect/Schema"

export const ChatReply = Schema.fromJsonString(
  Schema.Struct({
    model: Schema.optionalKey(Schema.NullOr(Schema.String)),
    choices: Schema.NonEmptyArray(
      Schema.Struct({ message: Schema.Struct({ content: Schema.optionalKey(Schema.NullOr(Schema.String)) }) })
    ),
    usage: Schema.optionalKey(
      Schema.NullOr(Schema.Struct({ prompt_tokens: Schema.Int, completion_tokens: Schema.optionalKey(Schema.Int) }))
    )
  })
)
export type ChatReply = typeof ChatReply.Type
