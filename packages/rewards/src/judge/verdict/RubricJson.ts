/** `rubric_json`: one yes or no for each criterion, weighed. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { jsonObjects } from "./JsonObjects.ts"
import type { Reading, VerdictOptions } from "./Reading.ts"

const decode = Schema.decodeUnknownOption(
  Schema.Struct({
    verdicts: Schema.Array(Schema.Struct({ name: Schema.String, verdict: Schema.Literals(["yes", "no"]) }))
  })
)

/** Reads the weighed share of yes. The names must be the criteria, each once: a judge that answers another rubric has answered nothing. */
export const rubricJson = (reply: string, { criteria = {} }: VerdictOptions): Reading => {
  const rubric = Option.getOrUndefined(decode(jsonObjects(reply).at(-1)))
  const names = rubric?.verdicts.map(({ name }) => name) ?? []
  const asked = Object.keys(criteria)
  const same = names.length === asked.length && asked.every((name) => names.includes(name))
  const total = asked.reduce((sum, name) => sum + (criteria[name] ?? 0), 0)
  if (rubric === undefined || !same || total <= 0) return "unreadable"
  const reached = rubric.verdicts.reduce((sum, { name, verdict }) => sum + (verdict === "yes" ? criteria[name]! : 0), 0)
  return { label: reached / total, value: reached / total }
}
