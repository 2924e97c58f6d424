/** `gradus score`, `judge` and `rejudge`: rewards alone. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { directory, json, loaded, optional, redis, rules, text } from "./Flags.ts"

export const score = Command.make(
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
    loaded(
      () => import("../commands/Score.ts"),
      (command) =>
        command.score({
          ...rest,
          judgeUrl: optional(judgeUrl),
          judgeModel: optional(judgeModel),
          judgeKeyEnv: optional(judgeKeyEnv)
        })
    )
).pipe(Command.withDescription("Score a file of completions"))

const files = {
  input: text("input", "JSONL or Parquet"),
  output: text("output", "JSONL file for the result"),
  json
}

export const judge = Command.make("judge").pipe(
  Command.withDescription("The judge's parts alone, on files"),
  Command.withSubcommands([
    Command.make(
      "parse",
      { rule: text("rule", "how a reply is read, e.g. yes_no or GRADE_last"), ...files },
      (options) =>
        loaded(
          () => import("../commands/Judge.ts"),
          (command) => command.parse(options)
        )
    ).pipe(Command.withDescription("Read replies: rows {id, reply} become {id, verdict}")),
    Command.make(
      "grant",
      {
        directory,
        amount: Flag.Finite("amount").pipe(Flag.withDescription("money, in the currency of the manifest's prices")),
        redis,
        json
      },
      ({ redis, ...options }) =>
        loaded(
          () => import("../commands/Grant.ts"),
          (command) => command.grant({ ...options, redis: optional(redis) })
        )
    ).pipe(Command.withDescription("Add to the budget of a run whose judge has none left")),
    Command.make("guard", files, (options) =>
      loaded(
        () => import("../commands/Judge.ts"),
        (command) => command.guard(options)
      )
    ).pipe(Command.withDescription("Say which completions a judge would be asked about"))
  ])
)

export const rejudge = Command.make(
  "rejudge",
  {
    directory,
    all: Flag.Boolean("all").pipe(Flag.withDefault(false), Flag.withDescription("not only what is unscored")),
    redis,
    json
  },
  ({ redis, ...options }) =>
    loaded(
      () => import("../commands/Rejudge.ts"),
      (command) => command.rejudge({ ...options, redis: optional(redis) })
    )
).pipe(Command.withDescription("Score a run's stored completions again and say what would have changed"))
