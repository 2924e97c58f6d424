/** Flags and arguments that several commands have, in one spelling; and how a command is loaded when it is called. */
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

export const text = (name: string, description: string) => Flag.String(name).pipe(Flag.withDescription(description))

export const json = Flag.Boolean("json").pipe(
  Flag.withDefault(false),
  Flag.withDescription("print the result as JSON, as the last line")
)

export const set = Flag.String("set").pipe(
  Flag.withAlias("s"),
  Flag.withDescription("override a value of the manifest: path=value; may be repeated"),
  Flag.atLeast(0)
)

export const runs = Flag.String("runs").pipe(Flag.withDefault("runs"), Flag.withDescription("directory of all runs"))

/** The same for commands that look at it for a manifest alone: absent, it is `runs`. */
export const runsGiven = Flag.optional(text("runs", "directory of all runs (default runs)"))

export const manifest = Argument.String("manifest").pipe(Argument.withDescription("manifest file (YAML)"))

export const directory = Argument.String("directory").pipe(Argument.withDescription("run directory"))

export const count = (name: string, description: string) => Flag.Int(name).pipe(Flag.withDescription(description))

// spelt out so that help does not load what reads them; the types of the commands hold the two together
export const kinds = [
  "passed_count",
  "failed_count",
  "rate",
  "percent",
  "fraction",
  "booleans",
  "difficulty_0_100"
] as const

export const kind = Flag.optional(
  Flag.Literals("kind", kinds).pipe(
    Flag.withDescription(
      "what the column of --passed says: passed_count where it is absent, whatever the values look like"
    )
  )
)

export const redis = Flag.optional(
  text("redis", "redis://host:port of what all hosts share; better in GRADUS_REDIS when it holds a password")
)

export const lease = Flag.Finite("lease").pipe(
  Flag.withDefault(15),
  Flag.withDescription(
    "seconds after which a process of another host that is not heard of loses its work to another one"
  )
)

export const report = Flag.Boolean("report").pipe(
  Flag.withDefault(true),
  Flag.withDescription("draw report.html at the end (default); --no-report: later, by `gradus report`")
)

export const optional = Option.getOrUndefined

export const number = (name: string, description: string) => Flag.Finite(name).pipe(Flag.withDescription(description))

export const many = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.atLeast(0))

export const yes = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDefault(false), Flag.withDescription(description))

/** The values of flags that are absent as undefined. */
export const plain = <A extends Readonly<Record<string, unknown>>>(options: A) =>
  Object.fromEntries(
    Object.entries(options).map(([name, value]) => [name, Option.isOption(value) ? optional(value) : value])
  ) as { readonly [K in keyof A]: A[K] extends Option.Option<infer B> ? B | undefined : A[K] }

const accuracy = text("accuracy", "exact, numeric, math, choice, judge, none, …; default exact")
const answer = text("answer", "which answer is taken from a completion; default after_think")
const format = text("format", "thinking, none, …; default thinking")

/** By which rules completions are scored. */
export const rules = {
  accuracy: accuracy.pipe(Flag.withDefault("exact")),
  answer: answer.pipe(Flag.withDefault("after_think")),
  format: format.pipe(Flag.withDefault("thinking"))
}

/** The same, where a manifest may say it instead: it matters whether they were given. */
export const rulesGiven = {
  accuracy: Flag.optional(accuracy),
  answer: Flag.optional(answer),
  format: Flag.optional(format)
}

/** Loads what a command does when it is called: help and usage errors are fast. */
export const loaded = <Module, A, E, R>(
  load: () => Promise<Module>,
  use: (command: Module) => Effect.Effect<A, E, R>
) => Effect.flatMap(Effect.promise(load), use)
