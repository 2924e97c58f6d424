/** What `verify` finds: things that are not as they were when a cell finished. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"

/** Something that is not as it was when the cell finished. */
export interface Change {
  readonly cell: string
  readonly what: string
  readonly expected: string
  readonly found: string
}

/** Compares what is said twice; what `found` does not say is not compared. */
export const changes = (
  cell: string,
  expected: Readonly<Record<string, string>>,
  found: Readonly<Record<string, string>>
): ReadonlyArray<Change> =>
  Object.entries(expected).flatMap(([what, value]) =>
    found[what] === undefined || found[what] === value ? [] : [{ cell, what, expected: value, found: found[what] }]
  )

const reasonOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return error instanceof Error ? error.message : String(error)
}

/** Whatever goes wrong in a check is a change of its cell, a defect too: files that somebody broke may break any reader. Other checks go on. */
export const guarded = <E, R>(
  cell: string,
  what: string,
  check: Effect.Effect<ReadonlyArray<Change>, E, R>
): Effect.Effect<ReadonlyArray<Change>, never, R> =>
  Effect.catchCause(check, (cause) =>
    Cause.hasInterrupts(cause)
      ? Effect.interrupt
      : Effect.succeed([{ cell, what, expected: "readable", found: reasonOf(cause) }])
  )
