/** `chat_response_body`: a whole chat completion as it came over the wire; its text is read by `yes_no`. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { ChatReply } from "../ChatReply.ts"
import type { Reading } from "./Reading.ts"
import { withoutThought } from "./Thought.ts"
import { yesNo } from "./YesNo.ts"

const decode = Schema.decodeUnknownOption(ChatReply)

/** Reads the first choice's text. A body that is no chat completion, or has no text, is unreadable. */
export const chatResponseBody = (reply: string): Reading => {
  const text = Option.getOrUndefined(decode(reply))?.choices[0].message.content
  const said = text === undefined || text === null ? null : withoutThought(text)
  return said === null ? "unreadable" : yesNo(said)
}
