/** `gradus run` and `gradus resume`. */
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import type { RunSummary } from "@gradus/domain/RunSummary"
import { finished, run as runExperiment, type RunInput } from "@gradus/experiment/Run"
import { layout } from "@gradus/experiment/RunDirectory"
import { readStored } from "@gradus/experiment/StoredManifest"
import { load } from "@gradus/manifest/service/Load"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { arithmetic } from "../Arithmetic.ts"
import { Engines } from "../Engines.ts"
import { origin } from "../Origin.ts"
import { print, printJson, say } from "../Output.ts"
import { projectRoot } from "../ProjectRoot.ts"
import { runInput, trainerPlace } from "../RunPlace.ts"
import { refuseSimulated } from "../SimulatedRuns.ts"
import { redisAddress } from "../StoreAddress.ts"
import * as TerminalProgress from "../TerminalProgress.ts"
import { UsageError } from "../UsageError.ts"

/** There is no run to go on with. */
export class RunUnreadable extends Schema.TaggedError<RunUnreadable>()("RunUnreadable", {
  directory: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.directory} is not a run that can be resumed: ${this.reason}`
  }
}

interface Shown {
  readonly json: boolean
  /** Whether the report is drawn. */
  readonly report: boolean
}

const percent = (value: number | null): string => (value === null ? "unscored" : `${(100 * value).toFixed(1)} %`)

const show = Effect.fnUntraced(function* (summary: RunSummary, { json, report }: Shown) {
  if (json) return yield* printJson(summary)
  yield* print(`${summary.run}: ${summary.steps} steps in ${summary.seconds.toFixed(1)} s`)
  for (const [set, { first, last }] of Object.entries(summary.eval))
    yield* print(`  ${set}: ${percent(first)} -> ${percent(last)}`)
  yield* print(`  metrics ${summary.digest.metrics.slice(0, 16)}, weights ${summary.digest.weights.slice(0, 16)}`)
  const path = yield* Path.Path
  const page = path.join(summary.dir, "report.html")
  yield* print(report ? `  report: ${page}` : `  no report: \`gradus report ${summary.dir}\` draws it`)
})

/** Refusals that leave a run as it was: their messages say what to do. */
const NOTHING_BEGUN: ReadonlySet<string> = new Set(["RunOwned", "RunChanged"])

const goesOn = (root: string): string =>
  `it stopped; what was done is on disk, and \`gradus resume ${root}\` goes on from there`

export interface RunOptions {
  readonly manifest: string
  readonly set: ReadonlyArray<string>
  readonly runs: string
  readonly json: boolean
}

interface OwnedOptions extends Shown {
  /** Address of the Redis that hosts share; undefined: the environment's, or none. */
  readonly redis: string | undefined
  /** Seconds after which a lease in that Redis runs out whose holder is not heard of. */
  readonly lease: number
}

const perform = Effect.fnUntraced(function* (input: RunInput, options: OwnedOptions) {
  const { lease: seconds, redis } = options
  yield* refuseSimulated(input)
  if (!(seconds >= 1)) return yield* new UsageError({ reason: `--lease ${seconds}: at least 1 second` })
  const done = yield* finished(input)
  if (done !== undefined) {
    yield* say(`${input.root} is finished: nothing to do`)
    return yield* show(done, options)
  }
  const { manifest } = input.resolved
  for (const line of arithmetic(manifest)) yield* say(line)
  yield* say(`run directory: ${input.root}`)
  const store = yield* redisAddress(redis)
  const { lease, run: enginesOf, store: storeOf } = yield* Engines
  const engines = enginesOf(manifest, yield* trainerPlace(input.root, store))
  const summary = yield* runExperiment(input, engines).pipe(
    // through Redis where one is named, so that no worker on any host has the run at the same time
    Effect.provide([store === undefined ? lease : storeOf(store, seconds), TerminalProgress.layer]),
    Effect.tapError(({ _tag }) => (NOTHING_BEGUN.has(_tag) ? Effect.void : say(goesOn(input.root)))),
    Effect.onInterrupt(() => say(`\ninterrupted; \`gradus resume ${input.root}\` goes on from here`))
  )
  yield* show(summary, options)
})

/** Runs a manifest, or goes on with its run. */
export const run = Effect.fn("gradus.run")(function* (options: RunOptions & OwnedOptions) {
  const input = yield* runInput(yield* load(options.manifest, options.set), options.runs)
  yield* perform({ ...input, report: options.report }, options)
})

/** Goes on with the run in a directory, by the manifest that lies there. */
export const resume = Effect.fn("gradus.resume")(function* (options: OwnedOptions & { readonly directory: string }) {
  const path = yield* Path.Path
  const root = path.resolve(options.directory)
  const directory = yield* layout(root)
  const stored = yield* readStored(directory).pipe(
    Effect.catchTag("RunFileFailed", ({ reason }) => Effect.fail(new RunUnreadable({ directory: root, reason })))
  )
  const manifest: Manifest = stored.manifest
  yield* perform(
    {
      resolved: { manifest, digest: stored.digest as RunInput["resolved"]["digest"], provenance: stored.provenance },
      written: "",
      base: stored.base,
      root,
      origin: yield* origin(projectRoot),
      report: options.report
    },
    options
  )
})
