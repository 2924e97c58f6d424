/** The command line: all commands. Their names, flags and help are in `declared/`, what they do is loaded when they are called. */
import * as Command from "effect/cli/Command"
import { compare } from "./declared/Compare.ts"
import { config } from "./declared/Config.ts"
import { doctor } from "./declared/Doctor.ts"
import { filter } from "./declared/Filter.ts"
import { launch } from "./declared/Launch.ts"
import { exportCommand, plan } from "./declared/Plan.ts"
import { profile } from "./declared/Profile.ts"
import { report, resume, run } from "./declared/Run.ts"
import { judge, rejudge, score } from "./declared/Score.ts"
import { serve } from "./declared/Serve.ts"
import { simulate } from "./declared/Simulate.ts"
import { sweep } from "./declared/Sweep.ts"
import { top } from "./declared/Top.ts"
import { view } from "./declared/View.ts"
import { queue, worker } from "./declared/Worker.ts"

export const gradus = Command.make("gradus").pipe(
  Command.withDescription("Curriculum RL experiments for language models"),
  Command.withSubcommands([
    run,
    resume,
    plan,
    exportCommand,
    simulate,
    profile,
    filter,
    score,
    judge,
    rejudge,
    report,
    sweep,
    compare,
    config,
    serve,
    view,
    top,
    launch,
    worker,
    queue,
    doctor
  ])
)
