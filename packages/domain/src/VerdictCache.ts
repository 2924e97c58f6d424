/** The cache of verdicts, by content: the same question, truth and answer under the same prompt and judge need no second call. A port; packages/store implements it. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Digest } from "./Digest.ts"
import type { Verdict } from "./Score.ts"

/** The memory below, or a store that processes and runs share. It never fails: what a store cannot read is a miss. */
export class VerdictCache extends Context.Service<
  VerdictCache,
  {
    readonly get: (key: Digest) => Effect.Effect<Verdict | undefined>
    /** Keeps a verdict that was read as yes or no; others are never kept. */
    readonly put: (key: Digest, verdict: Verdict) => Effect.Effect<void>
  }
>()("@gradus/domain/VerdictCache") {
  /** Keeps the latest `capacity` verdicts in this process. */
  static readonly layerMemory = (capacity: number = 200_000): Layer.Layer<VerdictCache> =>
    Layer.sync(VerdictCache, () => {
      const kept = new Map<Digest, Verdict>()
      return {
        get: (key) => Effect.sync(() => kept.get(key)),
        put: (key, verdict) =>
          Effect.sync(() => {
            kept.delete(key)
            kept.set(key, verdict)
            const [oldest] = kept.keys()
            if (kept.size > capacity && oldest !== undefined) kept.delete(oldest)
          })
      }
    })
}
