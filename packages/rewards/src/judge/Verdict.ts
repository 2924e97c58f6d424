/** Verdict rules by name: how a judge's reply is read. yes, no, unreadable (it answered, but not in the form) and failed (it did not answer) are four things. */
import type { VerdictRule } from "@gradus/domain/manifest/Rewards"
import { arenaHardBrackets } from "./verdict/ArenaHardBrackets.ts"
import { chatResponseBody } from "./verdict/ChatResponseBody.ts"
import { choiceLast } from "./verdict/ChoiceLast.ts"
import { gradeLast } from "./verdict/GradeLast.ts"
import { hashPassFailLast } from "./verdict/HashPassFailLast.ts"
import { jsonLast } from "./verdict/JsonLast.ts"
import { judgementYesNoLast } from "./verdict/JudgementYesNoLast.ts"
import type { Reading, VerdictOptions, VerdictReader } from "./verdict/Reading.ts"
import { withoutThought } from "./verdict/Thought.ts"
import { rubricJson } from "./verdict/RubricJson.ts"
import { yesNo } from "./verdict/YesNo.ts"

/** Rules that a judge of answers is asked to follow, and those that only read what others have written. */
export type VerdictRuleName = VerdictRule | "rubric_json" | "arena_hard_brackets" | "chat_response_body"

const READERS: Record<VerdictRuleName, VerdictReader> = {
  yes_no: yesNo,
  Judgement_yes_no_last: judgementYesNoLast,
  GRADE_last: gradeLast,
  hash_pass_fail_last: hashPassFailLast,
  json_last: jsonLast,
  choice_last: choiceLast,
  rubric_json: rubricJson,
  arena_hard_brackets: arenaHardBrackets,
  chat_response_body: chatResponseBody
}

export const VERDICT_RULES = Object.keys(READERS) as ReadonlyArray<VerdictRuleName>

/** A longer reply is not read: a judge that writes so much has lost its form, and reading must stay cheap. */
export const READ_CHARACTERS = 200_000

/** Reads a reply by a rule: the rule's own label and what it is worth, or unreadable. What a judge thinks before its reply is no part of it. */
export const readReply = (rule: VerdictRuleName, reply: string, options: VerdictOptions = {}): Reading => {
  if (reply.length > READ_CHARACTERS) return "unreadable"
  // a whole response body is JSON: the thought stands inside it
  const text = rule === "chat_response_body" ? reply : withoutThought(reply)
  return text === null ? "unreadable" : READERS[rule](text, options)
}

/** Reads a reply as yes or no. A label worth anything between is neither. */
export const readVerdict = (reply: string, rule: VerdictRule = "yes_no"): "yes" | "no" | "unreadable" => {
  const reading = readReply(rule, reply)
  if (reading === "unreadable") return "unreadable"
  if (reading.value === 1) return "yes"
  return reading.value === 0 ? "no" : "unreadable"
}
