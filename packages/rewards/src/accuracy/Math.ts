/** Mathematical accuracy: the answer is equivalent to the truth, however either is written. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { gradeMath } from "../math/Grade.ts"
import type { Accuracy } from "./Accuracy.ts"

const Several = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Array(Schema.String)))

/** The truths that a row allows: one, or each text of a JSON array of texts. */
export const truths = (gold: string): ReadonlyArray<string> =>
  (gold.trimStart().startsWith("[") ? Option.getOrUndefined(Several(gold)) : undefined) ?? [gold]

/** Says whether an answer is equivalent to the truth, or to one of several. Unscored where there is no truth. */
export const math = (answer: string | null, gold: string): Accuracy =>
  gradeMath(answer === null ? [] : [answer], truths(gold))
