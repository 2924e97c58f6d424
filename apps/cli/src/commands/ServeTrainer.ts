/** `gradus serve trainer M`: the trainer service that a manifest describes, for others to use. */
import { load } from "@gradus/manifest/service/Load"
import { TrainerAddress } from "@gradus/trainer-client/TrainerAddress"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as Redacted from "effect/Redacted"
import { Engines } from "../Engines.ts"
import { printJson, say } from "../Output.ts"
import { UsageError } from "../UsageError.ts"

export interface ServeTrainerOptions {
  readonly manifest: string
  readonly set: ReadonlyArray<string>
  readonly runs: string
  readonly port: number
  /** Workers that the policy is cut over; 0: what the manifest says. */
  readonly nproc: number
  /** Whole copies of the policy among them. */
  readonly replicas: number
}

/** Starts the service, prints where it is reached as the first line, and keeps it until it is told to stop. */
export const serveTrainer = Effect.fn("gradus.serve.trainer")(function* (options: ServeTrainerOptions) {
  const path = yield* Path.Path
  if (options.nproc > 0 && (options.replicas < 1 || options.nproc % options.replicas !== 0))
    return yield* new UsageError({ reason: `--replicas ${options.replicas} must divide --nproc ${options.nproc}` })
  const { manifest } = yield* load(options.manifest, options.set)
  const runs = path.resolve(options.runs)
  const place = {
    state: path.join(runs, ".trainer"),
    artifacts: path.join(runs, ".artifacts", "policy"),
    logs: path.join(runs, ".trainer", "logs"),
    port: options.port,
    ...(options.nproc > 0 ? { workers: { processes: options.nproc, replicas: options.replicas } } : {})
  }
  const serve = Effect.gen(function* () {
    const { pid, token, url } = yield* TrainerAddress
    yield* printJson({ url, token: Redacted.value(token), pid })
    yield* say("serving; Ctrl-C stops it")
    return yield* Effect.never
  })
  return yield* Effect.provide(serve, (yield* Engines).trainer(manifest.trainer, place))
})
