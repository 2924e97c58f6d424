/** `gradus worker` and `gradus queue`. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { json, lease, loaded, manifest, optional, redis, report, runs, set } from "./Flags.ts"

export const worker = Command.make(
  "worker",
  {
    redis,
    runs,
    lease,
    report,
    idle: Flag.optional(Flag.Finite("leave-when-idle")).pipe(
      Flag.withDescription("leave after so many seconds without work; otherwise stay")
    )
  },
  ({ idle, redis, ...rest }) =>
    loaded(
      () => import("../commands/Worker.ts"),
      (command) => command.worker({ ...rest, redis: optional(redis), idle: optional(idle) })
    )
).pipe(Command.withDescription("Take runs from the queue and do them; any number, on any number of hosts"))

export const queue = Command.make("queue").pipe(
  Command.withDescription("What workers have to do"),
  Command.withSubcommands([
    Command.make(
      "add",
      {
        manifest,
        set,
        runs,
        redis,
        wait: Flag.Boolean("wait").pipe(
          Flag.withDefault(false),
          Flag.withDescription("show how it gets on, and leave when it is done")
        ),
        json
      },
      ({ redis, ...rest }) =>
        loaded(
          () => import("../commands/WorkerQueue.ts"),
          (command) => command.add({ ...rest, redis: optional(redis) })
        )
    ).pipe(Command.withDescription("Add a manifest's run for the workers")),
    Command.make("list", { runs, redis, json }, ({ redis, ...rest }) =>
      loaded(
        () => import("../commands/WorkerQueue.ts"),
        (command) => command.list({ ...rest, redis: optional(redis) })
      )
    ).pipe(Command.withDescription("List all jobs and where they stand"))
  ])
)
