/** What runs a cell, as a worker keeps it between cells. The application makes it. */
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import type { RunEngines } from "@gradus/experiment/Run"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"

export interface CellEngines<E> {
  /** The engines of one cell, whose run lies in `root`; what is slow to start behind them stays for the next. */
  readonly layer: (manifest: Manifest, root: string) => Layer.Layer<RunEngines, E>
  /** Ends what is kept: after a failure nobody knows what state it is in. */
  readonly discard: Effect.Effect<void>
}

/** Makes the engines of a process's worker (from 0), with a directory for the state of its trainer. */
export type MakeEngines<E> = (state: string, worker: number) => Effect.Effect<CellEngines<E>, E, Scope.Scope>
