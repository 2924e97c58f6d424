/** `gradus config`. */
import * as Command from "effect/cli/Command"
import { json, loaded, manifest, set } from "./Flags.ts"

export const config = Command.make("config").pipe(
  Command.withDescription("Check and show manifests"),
  Command.withSubcommands([
    Command.make("check", { manifest, set, json }, (options) =>
      loaded(
        () => import("../commands/Config.ts"),
        (command) => command.check(options)
      )
    ).pipe(Command.withDescription("Print every error of a manifest as file:line:col path: message")),
    Command.make("show", { manifest, set, json }, (options) =>
      loaded(
        () => import("../commands/Config.ts"),
        (command) => command.show(options)
      )
    ).pipe(Command.withDescription("Print the resolved manifest with where each value comes from")),
    Command.make("schema", {}, () =>
      loaded(
        () => import("../commands/Config.ts"),
        (command) => command.schema()
      )
    ).pipe(Command.withDescription("Print the JSON Schema of manifests"))
  ])
)
