/** `gradus view`: its flags and help. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { loaded, optional, runs, text } from "./Flags.ts"

export const view = Command.make(
  "view",
  {
    runs,
    port: Flag.Int("port").pipe(Flag.withDefault(0), Flag.withDescription("0: any free one")),
    bundle: Flag.optional(text("bundle", "write a static folder with pages and files, and end")),
    json: Flag.Boolean("json").pipe(
      Flag.withDefault(false),
      Flag.withDescription("print where it is as JSON, as the first line")
    )
  },
  ({ bundle, ...rest }) =>
    loaded(
      () => import("../commands/View.ts"),
      (command) => command.view({ ...rest, bundle: optional(bundle) })
    )
).pipe(Command.withDescription("Look at runs in a browser: curves, curriculum, groups, questions, judge"))
