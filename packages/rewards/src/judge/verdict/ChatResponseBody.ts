/** `chat_response_body`: a whole chat completion as it came over the wire; its text is read by `yes_no`. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { ChatReply } from "../ChatReply.ts"
import type { Reading } from "./Reading.ts"
import { yesNo } from "./YesNo.ts"

const decode = Schema.decodeUnknownOption(ChatReply)

/** Reads the first choice's text. A body that is no chat completion, or has no text, is unreadable. */
export const chatResponseBody = (reply: string): Reading => {
  const text = Option.getOrUndefined(decode(reply))?.choices[0].message.content
  return text === undefined || text === null ? "unreadable" : yesNo(text)
}
