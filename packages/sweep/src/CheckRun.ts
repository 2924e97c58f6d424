/** The files of one cell's run against its summary, its plan and each other. */
import type { CellResult } from "@gradus/domain/CellResult"
import { ofJson } from "@gradus/domain/Digest"
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import * as Artifacts from "@gradus/experiment/Artifacts"
import { readJson } from "@gradus/experiment/AtomicFile"
import { readJournal } from "@gradus/experiment/Journal"
import { ResolvedFile } from "@gradus/experiment/ReadRun"
import { layout } from "@gradus/experiment/RunDirectory"
import { identity } from "@gradus/manifest/Resolve"
import * as Effect from "effect/Effect"
import type { Cell } from "./Cell.ts"
import { type Change, changes, guarded } from "./Change.ts"
import { checkCurriculum } from "./CheckCurriculum.ts"
import { checkSamples } from "./CheckSamples.ts"
import { resultOf } from "./Result.ts"
import { weightsDigest } from "./WeightsDigest.ts"

/** The parts of a summary that equal inputs make equal; how long it took and where are no such parts. */
export const comparable = (result: CellResult): Readonly<Record<string, string>> => ({
  manifest: result.manifest_digest,
  dataset: result.dataset_digest,
  seed: String(result.seed),
  start: result.start,
  plan: result.digest.plan,
  metrics: result.digest.metrics,
  weights: result.digest.weights,
  curve: ofJson(result.curve),
  spent: `${result.steps} steps, ${result.tokens} tokens, ${result.updates} updates`,
  questions: `${result.drawn} drawn, ${result.distinct} different`,
  rewards: ofJson([result.reward, result.silent])
})

/** Hashes a policy's files where they are kept. What was hashed for one cell is not hashed for the next: they share what they start from. */
const weightsOf = Effect.fnUntraced(function* (artifacts: string, digest: string, known: Map<string, string>) {
  const found = known.get(digest)
  if (found !== undefined) return found
  const directory = digest === "" ? undefined : yield* Artifacts.find(artifacts, "policy", digest)
  const weights = directory === undefined ? digest : yield* weightsDigest(directory)
  known.set(digest, weights)
  return weights
})

/** Checks the files of a run that is here. `known`: digests of policies that were hashed before. Never fails: what cannot be read has changed. */
export const checkRun = Effect.fn("Sweep.checkRun")(function* (
  root: string,
  cell: Cell,
  manifest: Manifest,
  result: CellResult | undefined,
  known: Map<string, string>
) {
  const { id } = cell
  const directory = yield* layout(root)
  const check = <E, R>(what: string, effect: Effect.Effect<ReadonlyArray<Change>, E, R>) => guarded(id, what, effect)
  const own = Effect.map(readJson(ResolvedFile, directory.resolved), (stored) =>
    changes(id, { "resolved.json": identity(manifest) }, { "resolved.json": identity(stored.manifest) })
  )
  const events = Effect.map(readJournal(directory.journal), (journal) => journal.events)
  const again = Effect.map(resultOf(root, id), (found) =>
    result === undefined ? [] : changes(id, comparable(result), comparable(found))
  )
  const policy = (what: string, digest: string | undefined) =>
    check(
      what,
      Effect.map(weightsOf(directory.artifacts, digest ?? "", known), (found) =>
        changes(id, { [what]: digest ?? "" }, { [what]: found })
      )
    )
  const parts = [
    check("run", again),
    check("resolved.json", own),
    check(
      "filter and plan",
      Effect.flatMap(events, (all) => checkCurriculum(directory, id, manifest, all))
    ),
    check(
      "completions",
      Effect.flatMap(events, (all) => checkSamples(directory, id, all))
    ),
    policy("weights artifact", result?.digest.weights),
    policy("start's artifact", result?.start)
  ]
  return (yield* Effect.all(parts)).flat()
})
