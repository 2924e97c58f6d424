/** `gradus sweep`: many runs of one manifest. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { count, json, lease, loaded, optional, redis, runs, text, yes } from "./Flags.ts"

const sweepFile = { sweep: Argument.String("sweep").pipe(Argument.withDescription("sweep file (YAML)")), runs, json }
const sweeps = () => import("../commands/Sweep.ts")

export const sweep = Command.make("sweep").pipe(
  Command.withDescription("Run a manifest under many settings and seeds"),
  Command.withSubcommands([
    Command.make("plan", sweepFile, (options) => loaded(sweeps, (command) => command.plan(options))).pipe(
      Command.withDescription("List every cell, hash the list, and keep it; runs nothing")
    ),
    Command.make(
      "run",
      {
        ...sweepFile,
        concurrency: Flag.optional(count("concurrency", "cells at once; absent: one, or one a GPU of --gpus")),
        gpus: Flag.optional(text("gpus", "CUDA devices, as 0,1,2: a worker each")),
        shard: Flag.optional(text("shard", "i/n: this machine's share, where machines cannot see each other's leases")),
        redis,
        lease,
        retryFailed: yes("retry-failed", "try cells again that failed")
      },
      ({ concurrency, gpus, redis: at, shard, ...rest }) =>
        loaded(sweeps, (command) =>
          command.run({
            ...rest,
            concurrency: optional(concurrency),
            gpus: optional(gpus),
            shard: optional(shard),
            redis: optional(at)
          })
        )
    ).pipe(Command.withDescription("Work on the plan until every cell is done, beside other workers")),
    Command.make("status", sweepFile, (options) => loaded(sweeps, (command) => command.status(options))).pipe(
      Command.withDescription("Say how every cell stands")
    ),
    Command.make(
      "verify",
      {
        ...sweepFile,
        rerun: Flag.Boolean("rerun").pipe(
          Flag.withDefault(true),
          Flag.withDescription("run a sampled cell again (default); --no-rerun: only hash")
        )
      },
      (options) => loaded(sweeps, (command) => command.verify(options))
    ).pipe(Command.withDescription("Hash everything again, and run the deterministic stages of a sampled cell again")),
    Command.make("extend", sweepFile, (options) => loaded(sweeps, (command) => command.extend(options))).pipe(
      Command.withDescription("Add the file's new values and seeds to the plan; finished cells stay")
    ),
    Command.make(
      "report",
      {
        ...sweepFile,
        metric: Flag.optional(
          text("metric", "another evaluation set than the sweep's; its report lies beside the first")
        )
      },
      ({ metric, ...rest }) => loaded(sweeps, (command) => command.report({ ...rest, metric: optional(metric) }))
    ).pipe(Command.withDescription("Draw the report from the summaries of finished cells")),
    Command.make(
      "slurm",
      {
        ...sweepFile,
        tasks: count("tasks", "tasks of the array"),
        atOnce: Flag.optional(count("at-once", "tasks that may run at once")),
        cpus: count("cpus", "CPU cores a task").pipe(Flag.withDefault(2)),
        gpus: count("gpus", "GPUs a task").pipe(Flag.withDefault(0)),
        time: text("time", "limit of a task, hh:mm:ss").pipe(Flag.withDefault("04:00:00")),
        partition: Flag.optional(text("partition", "Slurm partition"))
      },
      ({ atOnce, partition, ...rest }) =>
        loaded(sweeps, (command) =>
          command.slurm({ ...rest, atOnce: optional(atOnce), partition: optional(partition) })
        )
    ).pipe(Command.withDescription("Print an array job for sbatch"))
  ])
)
