/**
 * Where simulated runs are: apart from real ones, in a directory of their settings, since profiles and policies are shared by what a manifest says, and a
 * manifest does not say that nobody was asked.
 */
import { ofJson } from "@gradus/domain/Digest"
import { Lineage } from "@gradus/domain/Lineage"
import { exists, readJson } from "@gradus/experiment/AtomicFile"
import type { RunInput } from "@gradus/experiment/Run"
import { layout } from "@gradus/experiment/RunDirectory"
import type { LoadedManifest } from "@gradus/manifest/service/Load"
import type { SimulationSettings } from "@gradus/simulation/SimulationSettings"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import { runInput } from "./RunPlace.ts"
import { UsageError } from "./UsageError.ts"

const SHORT = 8

/** Prepares what a simulated run is given. */
export const simulatedInput = Effect.fn("SimulatedRuns.input")(function* (
  manifest: LoadedManifest,
  runs: string,
  settings: SimulationSettings
) {
  const path = yield* Path.Path
  return yield* runInput(manifest, path.join(runs, "simulated", ofJson(settings).slice(0, SHORT)))
})

/** Refuses to go on with a simulation as if it were a run: its policy is none. */
export const refuseSimulated = Effect.fn("SimulatedRuns.refuse")(function* ({ root }: Pick<RunInput, "root">) {
  const { lineage } = yield* layout(root)
  if (!(yield* exists(lineage))) return
  if ((yield* readJson(Lineage, lineage)).trainer.device === "simulated")
    return yield* new UsageError({ reason: `${root} is a simulation: \`gradus simulate\` goes on with it` })
})
