/** What a failure means for the shell: 1 failed, 2 usage or manifest or input, 75 try again, 130 interrupted. */
import * as Cause from "effect/Cause"

const USAGE = new Set([
  "ShowHelp",
  "UserError",
  "UsageError",
  "ConfigError",
  "ManifestInvalid",
  "ManifestUnreadable",
  "DatasetUnreadable",
  "DatasetRowInvalid",
  "QuestionSetsOverlap",
  "QuestionSpaceExhausted",
  "PlanRequestInvalid",
  "PoolInvalid",
  "CurriculumInvalid",
  "ExportImpossible",
  "ArmsEqual",
  "RungUnread",
  "SweepChanged",
  "SweepUnplanned",
  "RunUnfinished",
  "RunChanged",
  "ProfileChanged",
  "RatesMissing",
  "CalibrationSetChanged",
  "RunUnreadable",
  "StoreUnsafe"
])
const TRY_AGAIN = new Set(["RunOwned", "TrainerUnreachable", "TrainerDeadline", "TrainerAnswerInvalid", "RunLeaseLost"])

/** Whether the same command may succeed later: what is behind the exit code 75. */
export const isTryAgain = (error: unknown): boolean => TRY_AGAIN.has(tagOf(error)) || isRetryable(error)

const tagOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "_tag" in error ? String(error._tag) : ""

const isRetryable = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "retryable" in error && error.retryable === true

/** Gives the exit code of a failure. Defects are bugs and count as failed. `interrupted` is what an interrupt means to a command that has said so. */
export const exitCodeOf = (cause: Cause.Cause<unknown>, interrupted?: string | number | null): number => {
  if (Cause.hasInterruptsOnly(cause)) return Number(interrupted ?? 130)
  const error = Cause.squash(cause)
  if (USAGE.has(tagOf(error))) return 2
  return isTryAgain(error) ? 75 : 1
}

/** A manifest or a flag names environment variables that hold secrets; Effect says at the end of its message which one it looked for. */
const missingVariable = (said: string): string => {
  const name = /at \["([^"]+)"\]/.exec(said)?.[1]
  return name === undefined ? said : `the environment variable ${name} is not set: set it to the key, and start again`
}

/** Gives what a person is told: the message of an expected failure, all that is known of a bug, nothing where help was shown or Ctrl-C pressed. */
export const messageOf = (cause: Cause.Cause<unknown>): string | undefined => {
  if (Cause.hasInterruptsOnly(cause)) return undefined
  if (Cause.hasDies(cause)) return `this is a bug in gradus:\n${Cause.pretty(cause)}`
  const error = Cause.squash(cause)
  if (tagOf(error) === "ShowHelp" || tagOf(error) === "UserError") return undefined
  if (tagOf(error) === "ConfigError") return missingVariable(String(error))
  return error instanceof Error ? error.message : String(error)
}
