/** Structured output: the schema that a server may hold a verdict to, and how to find out whether it does. */
import type { JudgeSpec, VerdictRule } from "@gradus/domain/manifest/Rewards"
import { jsonObjects } from "./verdict/JsonObjects.ts"
import type { ChatMessage } from "./Prompt.ts"

/** `response_format` of the OpenAI interface, as vLLM and others take it. */
export const VERDICT_FORMAT = {
  type: "json_schema",
  json_schema: {
    name: "verdict",
    strict: true,
    schema: {
      type: "object",
      properties: { verdict: { type: "string", enum: ["yes", "no"] } },
      required: ["verdict"],
      additionalProperties: false
    }
  }
} as const

/** The rule that a reply of the schema is read by. */
export const HELD_RULE: VerdictRule = "json_last"

type Form = Pick<JudgeSpec, "structured" | "verdict">

/** Rules that ask for a bare verdict. The others let a judge give reasons first, which a schema would take from it. */
const BARE: ReadonlySet<VerdictRule> = new Set(["yes_no", HELD_RULE])

/** Says whether an endpoint that can be held to the schema is held to it. */
export const mayHold = ({ structured, verdict }: Form): boolean => structured === "auto" && BARE.has(verdict)

/** The rules by which a judge may be asked to reply: the manifest's, and the schema's where an endpoint may be held to it. */
export const rulesAsked = (form: Form): readonly [VerdictRule, ...ReadonlyArray<VerdictRule>] =>
  mayHold(form) && form.verdict !== HELD_RULE ? [form.verdict, HELD_RULE] : [form.verdict]

/** Asks for something else than the schema allows: only a server that is held to it answers with a verdict. */
export const PROBE_MESSAGES: ReadonlyArray<ChatMessage> = [
  { role: "user", content: "Reply with the single word banana." }
]

/** Says whether a reply is a verdict of the schema and nothing else. */
export const holdsSchema = (reply: string): boolean => {
  const [object, ...others] = jsonObjects(reply)
  const whole = reply.trim().startsWith("{") && reply.trim().endsWith("}")
  if (object === undefined || others.length > 0 || !whole) return false
  return Object.keys(object).length === 1 && (object["verdict"] === "yes" || object["verdict"] === "no")
}
