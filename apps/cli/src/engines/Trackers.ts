/** Trackers of a run, loaded only where a manifest names some. */
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** Starts what the manifest names. `run` is the name under which trackers find it again. */
export const trackers = (manifest: Manifest, run: string): Layer.Layer<never, Config.ConfigError> =>
  manifest.track === undefined
    ? Layer.empty
    : Layer.unwrap(
        Effect.map(
          Effect.promise(() => import("./Tracking.ts")),
          ({ tracking }) => tracking(manifest, run)
        )
      )
