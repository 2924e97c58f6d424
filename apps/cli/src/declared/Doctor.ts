/** `gradus doctor`. */
import * as Command from "effect/cli/Command"
import { json, loaded } from "./Flags.ts"

export const doctor = Command.make("doctor", { json }, (options) =>
  loaded(
    () => import("../commands/Doctor.ts"),
    (command) => command.doctor(options)
  )
).pipe(Command.withDescription("Look whether this machine has what a run needs"))
