/** `gradus top`. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { json, loaded, number, optional, runs, yes } from "./Flags.ts"

export const top = Command.make(
  "top",
  {
    directory: Argument.optional(
      Argument.String("directory").pipe(
        Argument.withDescription("run directory; absent: the run below --runs that was written last")
      )
    ),
    runs,
    once: yes("once", "print one frame and end"),
    every: number("every", "seconds between two looks").pipe(Flag.withDefault(2)),
    json
  },
  ({ directory, ...rest }) =>
    loaded(
      () => import("../commands/Top.ts"),
      (command) => command.top({ ...rest, directory: optional(directory) })
    )
).pipe(Command.withDescription("Watch a run from its files while it goes on; q or Ctrl-C leaves"))
