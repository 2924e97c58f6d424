/** What commands print: results on standard output, everything that is only for a reader on standard error. */
import * as Console from "effect/Console"
import type * as Effect from "effect/Effect"

/** Prints a value as one line of JSON. */
export const printJson = (value: unknown): Effect.Effect<void> => Console.log(JSON.stringify(value))

/** Prints a line of the result. */
export const print = (line: string): Effect.Effect<void> => Console.log(line)

/** Prints a line for whoever watches. */
export const say = (line: string): Effect.Effect<void> => Console.error(line)
