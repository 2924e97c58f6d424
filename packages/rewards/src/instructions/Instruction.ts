/** An instruction that can be checked: its id, what it is told, and when a response follows it (IFEval, arXiv 2311.07911, table 1). */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/** Says whether a response follows one instruction. */
export type Check = (response: string) => boolean

export interface Instruction {
  /** `family:name`, as data sets write it. */
  readonly id: string
  /** Makes the check for one row's keyword arguments; undefined where they are not what the instruction needs. */
  readonly checkFor: (kwargs: unknown) => Check | undefined
}

/** Defines an instruction by the schema of its arguments and the check that they make. */
export const instruction = <S extends Schema.ConstraintDecoder<unknown>>(
  id: string,
  kwargs: S,
  check: (kwargs: S["Type"]) => Check
): Instruction => {
  const decode = Schema.decodeUnknownOption(kwargs)
  return { id, checkFor: (given) => Option.getOrUndefined(Option.map(decode(given), check)) }
}

/** No arguments: whatever else is given does not matter. */
export const None = Schema.Struct({})

export const Relation = Schema.Literals(["less than", "at least"])

/** Says whether a count stands in a relation to a bound. */
export const holds = (count: number, relation: typeof Relation.Type, bound: number): boolean =>
  relation === "less than" ? count < bound : count >= bound
