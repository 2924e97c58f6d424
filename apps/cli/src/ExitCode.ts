/** What a failure means for the shell: 1 failed, 2 usage or manifest or input, 75 try again, 130 interrupted. */
import * as Cause from "effect/Cause"

const USAGE = new Set([
  "ShowHelp",
  "UserError",
  "UsageError",
  "ManifestInvalid",
  "ManifestUnreadable",
  "DatasetUnreadable",
  "DatasetRowInvalid",
  "QuestionSetsOverlap",
  "QuestionSpaceExhausted",
  "PlanRequestInvalid",
  "PoolInvalid",
  "CurriculumInvalid",
  "RunChanged",
  "RunUnreadable"
])
const TRY_AGAIN = new Set(["RunOwned", "TrainerUnreachable", "TrainerDeadline"])

const tagOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "_tag" in error ? String(error._tag) : ""

const isRetryable = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "retryable" in error && error.retryable === true

/** Gives the exit code of a failure. Defects are bugs and count as failed. */
export const exitCodeOf = (cause: Cause.Cause<unknown>): number => {
  if (Cause.hasInterruptsOnly(cause)) return 130
  const error = Cause.squash(cause)
  if (USAGE.has(tagOf(error))) return 2
  return TRY_AGAIN.has(tagOf(error)) || isRetryable(error) ? 75 : 1
}

/** Gives what a person is told: the message of an expected failure, all that is known of a bug, nothing where help was shown or Ctrl-C pressed. */
export const messageOf = (cause: Cause.Cause<unknown>): string | undefined => {
  if (Cause.hasInterruptsOnly(cause)) return undefined
  if (Cause.hasDies(cause)) return `this is a bug in gradus:\n${Cause.pretty(cause)}`
  const error = Cause.squash(cause)
  if (tagOf(error) === "ShowHelp" || tagOf(error) === "UserError") return undefined
  return error instanceof Error ? error.message : String(error)
}
