/** Flags that would be dropped without a word: one that is given and has no effect is refused, by its name. */
import * as Effect from "effect/Effect"
import { UsageError } from "./UsageError.ts"

type Flags = Readonly<Record<string, unknown>>

/** Spells the flag of an option: `sampleSeed` is `--sample-seed`. */
const spelt = (option: string): string => `--${option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

const isGiven = (value: unknown): boolean =>
  value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0)

/** Makes the error for the first of some flags that is given; `when` says why it has no effect. Undefined where none is given. */
export const unused = (flags: Flags, when: string): UsageError | undefined => {
  const option = Object.keys(flags).find((name) => isGiven(flags[name]))
  return option === undefined ? undefined : new UsageError({ reason: `${spelt(option)} has no effect ${when}` })
}

/** Fails where one of some flags is given though what it needs is not there. */
export const refuseUnless = (needed: unknown, flags: Flags, when: string): Effect.Effect<void, UsageError> => {
  const error = isGiven(needed) ? undefined : unused(flags, when)
  return error === undefined ? Effect.void : Effect.fail(error)
}
