/** Scripts for `ChatServer` of a judge that reads the blocks of our prompt: an honest one, and one that says yes to everything. */
import type { ChatBehaviour, ReceivedChat } from "./ChatServer.ts"

type Asked = Pick<ReceivedChat, "body">

/** The text of a request. */
export const textOf = ({ body }: Asked): string => body.messages.map(({ content }) => content).join("\n")

/** What stands in a block of a request. */
export const block = (name: string, text: string): string =>
  new RegExp(`BEGIN ${name} (\\S+)\\n([\\s\\S]*?)\\nEND ${name} \\1`).exec(text)?.[2]?.trim() ?? ""

/** Says yes where the candidate is the correct answer, to the letter. */
export const honest = (asked: Asked): Extract<ChatBehaviour, { readonly kind: "answer" }> => {
  const text = textOf(asked)
  return { kind: "answer", text: block("candidate", text) === block("correct", text) ? "yes" : "no" }
}

/** Says yes. */
export const lenient = (): Extract<ChatBehaviour, { readonly kind: "answer" }> => ({ kind: "answer", text: "yes" })
