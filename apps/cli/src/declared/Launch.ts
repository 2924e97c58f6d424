/** `gradus launch`: the job that runs the trainer on many machines. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { count, loaded, optional, text } from "./Flags.ts"

const job = {
  name: text("name", "names the job and what belongs to it").pipe(Flag.withDefault("gradus-trainer")),
  nodes: count("nodes", "machines"),
  gpus: count("gpus", "GPUs of each machine").pipe(Flag.withDefault(8)),
  replicas: count("replicas", "whole copies of the policy; each is cut over the other GPUs").pipe(Flag.withDefault(1)),
  shared: text("shared", "directory that every machine sees, for state and artifacts"),
  python: text("python", "the Python that has gradus_trainer, as the machines see it").pipe(
    Flag.withDefault("python3")
  ),
  port: count("port", "port of the trainer protocol").pipe(Flag.withDefault(8700)),
  output: Flag.optional(text("output", "file to write; standard output otherwise"))
}

export const launch = Command.make("launch").pipe(
  Command.withDescription("Write the job that runs the trainer on many machines"),
  Command.withSubcommands([
    Command.make(
      "slurm",
      {
        ...job,
        time: text("time", "limit of the job's time, as sbatch takes it").pipe(Flag.withDefault("24:00:00")),
        partition: Flag.optional(text("partition", "partition of the cluster")),
        tokenFile: text("token-file", "file with the trainer's token, on every machine")
      },
      ({ gpus, output, partition, ...rest }) =>
        loaded(
          () => import("../commands/Launch.ts"),
          (command) =>
            command.slurm({
              ...rest,
              gpusPerNode: gpus,
              output: optional(output),
              partition: optional(partition)
            })
        )
    ).pipe(Command.withDescription("Write a batch script for Slurm")),
    Command.make(
      "k8s",
      {
        ...job,
        image: text("image", "image with gradus_trainer and torch for CUDA"),
        claim: text("claim", "claim of a volume that every machine may write"),
        secret: text("secret", "secret whose key `token` is the trainer's token").pipe(
          Flag.withDefault("gradus-trainer-token")
        )
      },
      ({ gpus, output, ...rest }) =>
        loaded(
          () => import("../commands/Launch.ts"),
          (command) => command.kubernetes({ ...rest, gpusPerNode: gpus, output: optional(output) })
        )
    ).pipe(Command.withDescription("Write objects for Kubernetes"))
  ])
)
