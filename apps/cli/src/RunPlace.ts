/** Which directory a manifest's run has: `<runs>/<name>--<first characters of its digest>`. */
import type { JudgeSpec } from "@gradus/domain/manifest/Rewards"
import type { LoadedManifest } from "@gradus/manifest/service/Load"
import type { RunInput } from "@gradus/experiment/Run"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import type { JudgePlace, TrainerPlace, StorePlace } from "./Engines.ts"
import { origin } from "./Origin.ts"
import { projectRoot } from "./ProjectRoot.ts"

const SHORT = 12

/** Gives a run directory's name. The digest covers the seed, so each seed has a run of its own. */
export const runName = (name: string, digest: string): string => `${name}--${digest.slice(0, SHORT)}`

/**
 * Says where the judge of a run counts, and whose money it spends: the account that the manifest names, or that of the run alone. Hosts that share a
 * Redis count there; the processes of one machine in a file beside the runs.
 */
export const judgePlace = Effect.fnUntraced(function* (
  root: string,
  store: StorePlace | undefined,
  judge?: Pick<JudgeSpec, "account">
) {
  const path = yield* Path.Path
  return {
    store: store?.kind === "redis" ? store : { kind: "file", file: path.join(path.dirname(root), ".judge.sqlite") },
    account: judge?.account ?? path.basename(root)
  } satisfies JudgePlace
})

/** Says where the trainer and the judge of a run keep things. */
export const trainerPlace = Effect.fnUntraced(function* (root: string, store?: StorePlace) {
  const path = yield* Path.Path
  const place: TrainerPlace = {
    state: path.join(root, "trainer"),
    artifacts: path.join(path.dirname(root), ".artifacts", "policy"),
    logs: path.join(root, "logs"),
    judge: yield* judgePlace(root, store)
  }
  return place
})

/** Prepares what a run is given. `runs` is the directory of all runs. */
export const runInput = Effect.fn("RunPlace.runInput")(function* (manifest: LoadedManifest, runs: string) {
  const path = yield* Path.Path
  const root = path.resolve(runs, runName(manifest.manifest.name, manifest.digest))
  const input: RunInput = {
    resolved: manifest,
    written: manifest.sources.at(-1)?.text ?? "",
    base: manifest.directory,
    root,
    origin: yield* origin(projectRoot)
  }
  return input
})
