/** Engines of a sweep's worker: the trainer stays warm between cells that ask for the same one, so that a cell costs what it computes. */
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import type { CellEngines } from "@gradus/sweep/Engines"
import type { TrainerAddress } from "@gradus/trainer-client/TrainerAddress"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Scope from "effect/Scope"
import { existsSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { type EngineError, PythonMissing, type TrainerPlace } from "../Engines.ts"
import { address, type Installation, over, service } from "./Training.ts"

interface Warm {
  /** What the process was started for. */
  readonly key: string
  readonly scope: Scope.Closeable
  readonly address: Context.Context<TrainerAddress>
}

/** Says which manifests can share a trainer process. */
const keyOf = ({ trainer }: Manifest): string => {
  if (trainer.kind === "embedded") return JSON.stringify([trainer.threads, trainer.device])
  if (trainer.kind === "torchrun")
    return JSON.stringify([trainer.threads, trainer.device, trainer.processes, trainer.replicas])
  return JSON.stringify(trainer)
}

/** Makes a worker's engines. `environment` is added to the trainer's own, as CUDA_VISIBLE_DEVICES. */
export const cellEngines = Effect.fnUntraced(function* (
  place: TrainerPlace,
  installation: Installation,
  environment: Readonly<Record<string, string>>
) {
  const kept = yield* Ref.make<Warm | undefined>(undefined)
  const discard = Effect.flatMap(Ref.getAndSet(kept, undefined), (warm) =>
    warm === undefined ? Effect.void : Scope.close(warm.scope, Exit.void)
  )
  yield* Effect.addFinalizer(() => discard)

  const start = Effect.fnUntraced(function* (manifest: Manifest) {
    if (!existsSync(installation.python)) return yield* new PythonMissing({ path: installation.python })
    const warm = yield* Ref.get(kept)
    const key = keyOf(manifest)
    if (warm?.key === key) return warm.address
    yield* discard
    const scope = yield* Scope.make()
    const made = yield* Layer.buildWithScope(service(manifest.trainer, place, installation, environment), scope).pipe(
      Effect.onError(() => Scope.close(scope, Exit.void))
    )
    yield* Ref.set(kept, { key, scope, address: made })
    return made
  })

  const engines: CellEngines<EngineError> = {
    layer: (manifest, root) => {
      const judge = {
        store: place.judge?.store ?? ({ kind: "file", file: join(dirname(root), ".judge.sqlite") } as const),
        account: manifest.rewards.judge?.account ?? basename(root)
      }
      const cell = over(manifest, basename(root), judge)
      return manifest.trainer.kind !== "service"
        ? Layer.unwrap(Effect.map(start(manifest), (warm) => cell.pipe(Layer.provide(Layer.succeedContext(warm)))))
        : cell.pipe(Layer.provide(address(manifest.trainer, place, installation)))
    },
    discard
  }
  return engines
})
