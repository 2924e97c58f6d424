/** `gradus simulate`. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { json, loaded, manifest, plain, runs, set, text, yes } from "./Flags.ts"

export const simulate = Command.make(
  "simulate",
  {
    manifest,
    set,
    runs,
    policy: Flag.optional(text("policy", "what the simulated policy is: {start: 0, gain: 0.5, …} or a YAML file")),
    cluster: Flag.optional(
      text("cluster", "whose time is predicted: {gpus: 8, generate_tokens_per_gpu_second: …, …} or a YAML file")
    ),
    schedule: yes("schedule", "the schedule alone, without texts, scores and a run directory: large ones in seconds"),
    json
  },
  (options) =>
    loaded(
      () => import("../commands/Simulate.ts"),
      (command) => command.simulate(plain(options))
    )
).pipe(Command.withDescription("Run a manifest with a simulated policy, in no time and without a model"))
