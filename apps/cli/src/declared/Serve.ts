/** `gradus serve`: the trainer and the rewards as services. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { count, loaded, manifest, number, plain, rulesGiven, runs, set, text } from "./Flags.ts"

export const serve = Command.make("serve").pipe(
  Command.withDescription("Start a service"),
  Command.withSubcommands([
    Command.make(
      "trainer",
      {
        manifest,
        set,
        runs,
        port: Flag.Int("port").pipe(Flag.withDefault(0), Flag.withDescription("0: any free one")),
        nproc: Flag.Int("nproc").pipe(
          Flag.withDefault(0),
          Flag.withDescription("workers that the policy is cut over, one a GPU; 0: as the manifest says")
        ),
        replicas: Flag.Int("replicas").pipe(
          Flag.withDefault(1),
          Flag.withDescription("whole copies of the policy among the workers")
        )
      },
      (options) =>
        loaded(
          () => import("../commands/ServeTrainer.ts"),
          (command) => command.serveTrainer(options)
        )
    ).pipe(Command.withDescription("Start the trainer that a manifest describes; the first line says where it is")),
    Command.make(
      "rewards",
      {
        manifest: Argument.optional(manifest),
        set,
        ...rulesGiven,
        port: Flag.Int("port").pipe(Flag.withDefault(0), Flag.withDescription("0: any free one")),
        host: text("host", "address to listen on; one that others reach needs --token-env").pipe(
          Flag.withDefault("127.0.0.1")
        ),
        tokenEnv: Flag.optional(text("token-env", "environment variable with the token; default: a new one, printed")),
        thinking: Flag.Literals("thinking", ["on", "off"]).pipe(
          Flag.withDefault("on"),
          Flag.withDescription("whether completions think, where the caller does not say")
        ),
        unscored: text(
          "unscored",
          "what nobody can score is worth where only a number is taken: refuse, or a number"
        ).pipe(Flag.withDefault("refuse")),
        batchLimit: Flag.optional(count("batch-limit", "most completions in one request; default 4096")),
        bodyLimit: Flag.optional(count("body-limit", "most bytes of one body; default 64 MiB")),
        grace: Flag.optional(number("grace", "seconds that requests may go on after a stop; default 10"))
      },
      (options) =>
        loaded(
          () => import("../commands/ServeRewards.ts"),
          (command) => command.serveRewards(plain(options))
        )
    ).pipe(Command.withDescription("Score for other trainers, by a manifest's rewards or by named rules"))
  ])
)
