/**
 * Accuracy of instruction following: 1 where all of a row's instructions are followed, else 0 (IFEval's prompt-level accuracy). The truth is
 * JSON, `{"instruction_id_list": [...], "kwargs": [{...}, ...]}` with one object of arguments an instruction, as the data set has it;
 * arguments that are null count as absent.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { checkFor, follows, type Strictness } from "../instructions/Follow.ts"
import type { Check } from "../instructions/Instruction.ts"
import type { Accuracy } from "./Accuracy.ts"

const Kwargs = Schema.Record(Schema.String, Schema.Unknown)

export const InstructionsGold = Schema.Struct({
  instruction_id_list: Schema.NonEmptyArray(Schema.String),
  kwargs: Schema.Array(Schema.NullOr(Kwargs))
})
export type InstructionsGold = typeof InstructionsGold.Type

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(InstructionsGold))

const withoutNulls = (kwargs: typeof Kwargs.Type): typeof Kwargs.Type =>
  Object.fromEntries(Object.entries(kwargs).filter(([, value]) => value !== null))

const checksOf = (gold: string): ReadonlyArray<Check> | undefined => {
  const row = Option.getOrUndefined(decode(gold))
  if (row === undefined) return undefined
  const checks = row.instruction_id_list.map((id, i) => checkFor(id, withoutNulls(row.kwargs[i] ?? {})))
  return checks.every((check) => check !== undefined) ? checks : undefined
}

/** Says of each instruction of a row whether a response follows it; undefined where the row cannot be read or names an unknown one. */
export const followedEach = (
  response: string,
  gold: string,
  strictness: Strictness
): ReadonlyArray<boolean> | undefined => checksOf(gold)?.map((check) => follows(check, response, strictness))

/** Says whether a response follows all instructions of a row. Unscored where the row cannot be read. */
export const followed = (answer: string | null, gold: string, strictness: Strictness): Accuracy => {
  const each = followedEach(answer ?? "", gold, strictness)
  if (each === undefined) return { kind: "unscored", reason: "gold_unreadable" }
  return { kind: "scored", value: each.every(Boolean) ? 1 : 0 }
}
