/** `gradus plan` and `gradus export`: all batches of a curriculum, to look at and to take along. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { count, json, loaded, manifest, many, number, plain, runsGiven, set, text } from "./Flags.ts"
import { columns, filterFlags, columnsOf } from "./PassRates.ts"

const planFlags = {
  manifest: Argument.optional(manifest),
  set,
  runs: runsGiven,
  input: Flag.optional(text("input", "JSONL or Parquet with pass rates, in place of a manifest")),
  passed: Flag.optional(text("passed", "column with the pass rates")),
  ...columns,
  promptsPerStep: Flag.optional(count("prompts-per-step", "questions a batch: -s train.prompts_per_step")),
  steps: Flag.optional(count("steps", "batches; absent: one pass: -s train.steps")),
  sigma: Flag.optional(number("sigma", "width of the Gaussian, in pass rate: -s curriculum.sigma")),
  ...filterFlags,
  seed: Flag.optional(Flag.Int("seed").pipe(Flag.withDescription("-s seed")))
}

export const plan = Command.make(
  "plan",
  {
    ...planFlags,
    compare: many("compare", "another curriculum on the same pool: [name=]uniform, [name=]{batcher: …}, other.yaml"),
    output: Flag.optional(text("output", "directory for a page, charts, reports and plans")),
    json
  },
  (options) =>
    loaded(
      () => import("../commands/Plan.ts"),
      (command) => {
        const flags = plain(options)
        return command.plan({ ...flags, columns: columnsOf(flags) })
      }
    )
).pipe(Command.withDescription("Show every batch before any of them is trained on"))

export const exportCommand = Command.make(
  "export",
  {
    ...planFlags,
    manifest: Argument.optional(
      Argument.String("manifest").pipe(
        Argument.withDescription("manifest file (YAML); with --to inspect a run directory")
      )
    ),
    to: Flag.Literals("to", ["rows", "verl", "prime-rl", "inspect"]).pipe(
      Flag.withDescription("rows in the plan's order, a verl sampler, prime-rl pools; a run's evaluations for Inspect")
    ),
    dropColumn: many("drop-column", "column to leave out, such as a nested one; may be repeated"),
    output: text("output", "rows: a file, .parquet or JSONL; else a directory"),
    json
  },
  Effect.fnUntraced(function* (options) {
    const { to, ...flags } = plain(options)
    if (to === "inspect")
      return yield* loaded(
        () => import("../commands/ExportEvaluations.ts"),
        (command) => {
          const { json, manifest, output, ...others } = flags
          return command.exportEvaluations({ json, directory: manifest, output, others })
        }
      )
    return yield* loaded(
      () => import("../commands/Export.ts"),
      (command) => command.exportPlan({ ...flags, to, columns: columnsOf(flags) })
    )
  })
).pipe(Command.withDescription("Write a plan, or a run's evaluations, in the form that another program loads"))
