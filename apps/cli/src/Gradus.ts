/** The command line: names, flags and help. What a command does is loaded when it is called. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

const json = Flag.Boolean("json").pipe(
  Flag.withDefault(false),
  Flag.withDescription("print the result as JSON, as the last line")
)
const set = Flag.String("set").pipe(
  Flag.withAlias("s"),
  Flag.withDescription("override a value of the manifest: path=value; may be repeated"),
  Flag.atLeast(0)
)
const runs = Flag.String("runs").pipe(Flag.withDefault("runs"), Flag.withDescription("directory of all runs"))
const manifest = Argument.String("manifest").pipe(Argument.withDescription("manifest file (YAML)"))
const directory = Argument.String("directory").pipe(Argument.withDescription("run directory"))
const text = (name: string, description: string) => Flag.String(name).pipe(Flag.withDescription(description))
const count = (name: string, description: string) => Flag.Int(name).pipe(Flag.withDescription(description))
// spelt out so that help does not load what reads them; the command's types hold the two together
const kinds = ["passed_count", "failed_count", "rate", "percent", "fraction", "booleans", "difficulty_0_100"] as const
const kind = Flag.Literals("kind", kinds).pipe(
  Flag.withDefault("passed_count"),
  Flag.withDescription("what the column says; never guessed")
)
const dropAt = Flag.Finite("drop-at").pipe(
  Flag.withDefault(0.75),
  Flag.withDescription("drop questions with this pass rate or a higher one")
)
const optional = Option.getOrUndefined

const rules = {
  accuracy: text("accuracy", "exact, numeric, math, choice, judge, none, …").pipe(Flag.withDefault("exact")),
  answer: text("answer", "which answer is taken from a completion").pipe(Flag.withDefault("after_think")),
  format: text("format", "thinking, none, …").pipe(Flag.withDefault("thinking"))
}

const run = Command.make("run", { manifest, set, runs, json }, (options) =>
  Effect.flatMap(
    Effect.promise(() => import("./commands/Run.ts")),
    (command) => command.run(options)
  )
).pipe(Command.withDescription("Run a manifest to its report, or go on with its run"))

const resume = Command.make("resume", { directory, json }, (options) =>
  Effect.flatMap(
    Effect.promise(() => import("./commands/Run.ts")),
    (command) => command.resume(options)
  )
).pipe(Command.withDescription("Go on with the run in a directory"))

const plan = Command.make(
  "plan",
  {
    manifest: Argument.optional(manifest),
    set,
    runs,
    input: Flag.optional(text("input", "JSONL or Parquet with pass rates, in place of a manifest")),
    passed: Flag.optional(text("passed", "column with the pass rates")),
    kind,
    n: Flag.optional(count("n", "samples a question")),
    promptsPerStep: Flag.optional(count("prompts-per-step", "questions a batch")),
    sigma: Flag.Finite("sigma").pipe(
      Flag.withDefault(0.12),
      Flag.withDescription("width of the Gaussian, in pass rate")
    ),
    dropAt,
    seed: Flag.Int("seed").pipe(Flag.withDefault(0)),
    json
  },
  ({ input, manifest: file, n, passed, promptsPerStep, ...rest }) =>
    Effect.flatMap(
      Effect.promise(() => import("./commands/Plan.ts")),
      (command) =>
        command.plan({
          ...rest,
          manifest: optional(file),
          input: optional(input),
          passed: optional(passed),
          n: optional(n),
          promptsPerStep: optional(promptsPerStep)
        })
    )
).pipe(Command.withDescription("Show every batch before any of them is trained on"))

const profile = Command.make("profile", { manifest, set, runs, json }, (options) =>
  Effect.flatMap(
    Effect.promise(() => import("./commands/Profile.ts")),
    (command) => command.profile(options)
  )
).pipe(Command.withDescription("Measure the pass rates of a manifest's questions"))

const filter = Command.make(
  "filter",
  {
    input: text("input", "JSONL or Parquet with pass rates"),
    passed: text("passed", "column with the pass rates"),
    kind,
    n: count("n", "samples a question"),
    dropAt,
    output: Flag.optional(text("output", "JSONL file for the rows that are kept")),
    json
  },
  ({ output, ...rest }) =>
    Effect.flatMap(
      Effect.promise(() => import("./commands/Filter.ts")),
      (command) => command.filter({ ...rest, output: optional(output) })
    )
).pipe(Command.withDescription("Drop the questions of a file that are too easy"))

const score = Command.make(
  "score",
  {
    ...rules,
    judgeUrl: Flag.optional(text("judge-url", "OpenAI-compatible endpoint of the judge")),
    judgeModel: Flag.optional(text("judge-model", "the judge's model")),
    judgeKeyEnv: Flag.optional(text("judge-key-env", "environment variable with the judge's key")),
    input: text("input", "JSONL or Parquet: id, question?, gold, completion, thinking"),
    output: text("output", "JSONL file for the scores"),
    json
  },
  ({ judgeKeyEnv, judgeModel, judgeUrl, ...rest }) =>
    Effect.flatMap(
      Effect.promise(() => import("./commands/Score.ts")),
      (command) =>
        command.score({
          ...rest,
          judgeUrl: optional(judgeUrl),
          judgeModel: optional(judgeModel),
          judgeKeyEnv: optional(judgeKeyEnv)
        })
    )
).pipe(Command.withDescription("Score a file of completions"))

const report = Command.make("report", { directory, json }, (options) =>
  Effect.flatMap(
    Effect.promise(() => import("./commands/Report.ts")),
    (command) => command.report(options)
  )
).pipe(Command.withDescription("Draw the report of a run again, from its directory alone"))

const config = Command.make("config").pipe(
  Command.withDescription("Check and show manifests"),
  Command.withSubcommands([
    Command.make("check", { manifest, set, json }, (options) =>
      Effect.flatMap(
        Effect.promise(() => import("./commands/Config.ts")),
        (command) => command.check(options)
      )
    ).pipe(Command.withDescription("Print every error of a manifest as file:line:col path: message")),
    Command.make("show", { manifest, set, json }, (options) =>
      Effect.flatMap(
        Effect.promise(() => import("./commands/Config.ts")),
        (command) => command.show(options)
      )
    ).pipe(Command.withDescription("Print the resolved manifest with where each value comes from")),
    Command.make("schema", {}, () =>
      Effect.flatMap(
        Effect.promise(() => import("./commands/Config.ts")),
        (command) => command.schema()
      )
    ).pipe(Command.withDescription("Print the JSON Schema of manifests"))
  ])
)

const serve = Command.make("serve").pipe(
  Command.withDescription("Start a service"),
  Command.withSubcommands([
    Command.make(
      "trainer",
      {
        manifest,
        set,
        runs,
        port: Flag.Int("port").pipe(Flag.withDefault(0), Flag.withDescription("0: any free one"))
      },
      (options) =>
        Effect.flatMap(
          Effect.promise(() => import("./commands/ServeTrainer.ts")),
          (command) => command.serveTrainer(options)
        )
    ).pipe(Command.withDescription("Start the trainer that a manifest describes; the first line says where it is")),
    Command.make(
      "rewards",
      {
        manifest: Argument.optional(manifest),
        set,
        ...rules,
        port: Flag.Int("port").pipe(Flag.withDefault(0), Flag.withDescription("0: any free one"))
      },
      ({ manifest: file, ...rest }) =>
        Effect.flatMap(
          Effect.promise(() => import("./commands/ServeRewards.ts")),
          (command) => command.serveRewards({ ...rest, manifest: optional(file) })
        )
    ).pipe(Command.withDescription("Score for other trainers, by a manifest's rewards or by named rules"))
  ])
)

const files = {
  input: text("input", "JSONL or Parquet"),
  output: text("output", "JSONL file for the result"),
  json
}
const judge = Command.make("judge").pipe(
  Command.withDescription("The judge's parts alone, on files"),
  Command.withSubcommands([
    Command.make(
      "parse",
      { rule: text("rule", "how a reply is read, e.g. yes_no or GRADE_last"), ...files },
      (options) =>
        Effect.flatMap(
          Effect.promise(() => import("./commands/Judge.ts")),
          (command) => command.parse(options)
        )
    ).pipe(Command.withDescription("Read replies: rows {id, reply} become {id, verdict}")),
    Command.make("guard", files, (options) =>
      Effect.flatMap(
        Effect.promise(() => import("./commands/Judge.ts")),
        (command) => command.guard(options)
      )
    ).pipe(Command.withDescription("Say which completions a judge would be asked about"))
  ])
)

const rejudge = Command.make(
  "rejudge",
  {
    directory,
    all: Flag.Boolean("all").pipe(Flag.withDefault(false), Flag.withDescription("not only what is unscored")),
    json
  },
  (options) =>
    Effect.flatMap(
      Effect.promise(() => import("./commands/Rejudge.ts")),
      (command) => command.rejudge(options)
    )
).pipe(Command.withDescription("Score a run's stored completions again and say what would have changed"))

const doctor = Command.make("doctor", { json }, (options) =>
  Effect.flatMap(
    Effect.promise(() => import("./commands/Doctor.ts")),
    (command) => command.doctor(options)
  )
).pipe(Command.withDescription("Look whether this machine has what a run needs"))

export const gradus = Command.make("gradus").pipe(
  Command.withDescription("Curriculum RL experiments for language models"),
  Command.withSubcommands([run, resume, plan, profile, filter, score, judge, rejudge, report, config, serve, doctor])
)
