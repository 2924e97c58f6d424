/** `gradus run`, `resume` and `report`. */
import * as Command from "effect/cli/Command"
import { directory, json, lease, loaded, manifest, optional, redis, report as drawn, runs, set } from "./Flags.ts"

export const run = Command.make(
  "run",
  { manifest, set, runs, redis, lease, report: drawn, json },
  ({ redis, ...options }) =>
    loaded(
      () => import("../commands/Run.ts"),
      (command) => command.run({ ...options, redis: optional(redis) })
    )
).pipe(Command.withDescription("Run a manifest to its report, or go on with its run"))

export const resume = Command.make(
  "resume",
  { directory, redis, lease, report: drawn, json },
  ({ redis, ...options }) =>
    loaded(
      () => import("../commands/Run.ts"),
      (command) => command.resume({ ...options, redis: optional(redis) })
    )
).pipe(Command.withDescription("Go on with the run in a directory"))

export const report = Command.make("report", { directory, json }, (options) =>
  loaded(
    () => import("../commands/Report.ts"),
    (command) => command.report(options)
  )
).pipe(Command.withDescription("Draw the report of a run again, from its directory alone"))
