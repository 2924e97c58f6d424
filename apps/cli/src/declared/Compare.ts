/** `gradus compare`: finished runs against the first one. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { json, loaded, optional, text } from "./Flags.ts"

export const compare = Command.make(
  "compare",
  {
    runs: Argument.String("runs").pipe(
      Argument.withDescription("run directories, the baseline's first"),
      Argument.variadic({ min: 2 })
    ),
    metric: text("metric", "evaluation set that is compared").pipe(Flag.withDefault("heldout")),
    html: Flag.optional(text("html", "directory for report.html and its figures")),
    json
  },
  ({ html, ...rest }) =>
    loaded(
      () => import("../commands/Compare.ts"),
      (command) => command.compare({ ...rest, html: optional(html) })
    )
).pipe(Command.withDescription("Compare finished runs: by seed where they pair, and question by question"))
