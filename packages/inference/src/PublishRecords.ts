/** What the engines outside hold. An engine cannot say it, so the record of a whole publish is the proof; without one nothing is generated on it. */
import type { PublishTarget } from "@gradus/domain/TrainerMessages"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import { GeneratorFailed } from "./Generator.ts"

/** A policy by the trainer's run and its version. */
interface Policy {
  readonly run: string
  readonly version: number
}

export interface PublishRecords {
  readonly targets: ReadonlyArray<PublishTarget>
  /** Publishes unless every engine is proven to hold the policy. While it lasts, and after it failed, no engine counts as holding anything. */
  readonly whole: <A, E, R>(policy: Policy, publish: Effect.Effect<A, E, R>) => Effect.Effect<Option.Option<A>, E, R>
  /** Fails unless the engine at an address is proven to hold the policy. */
  readonly proven: (url: string, policy: Policy) => Effect.Effect<void, GeneratorFailed>
}

/** The records of a run; where there are no engines outside, there is nothing to publish and nothing to prove. */
export const PublishRecords = Context.Reference<PublishRecords>("@gradus/inference/PublishRecords", {
  defaultValue: () => ({ targets: [], whole: () => Effect.succeedNone, proven: () => Effect.void })
})

type Record = { readonly held: Policy } | { readonly lacks: string }

const UNKNOWN: Record = { lacks: "nothing was published to it since this process began" }

/** Makes the records of engines of which nothing is known yet. */
export const make = Effect.fnUntraced(function* (targets: ReadonlyArray<PublishTarget>) {
  const record = yield* Ref.make<Record>(UNKNOWN)
  const holds = (found: Record, { run, version }: Policy): boolean =>
    "held" in found && found.held.run === run && found.held.version === version

  const whole: PublishRecords["whole"] = (policy, publish) =>
    Effect.gen(function* () {
      if (targets.length === 0 || holds(yield* Ref.get(record), policy)) return Option.none()
      yield* Ref.set(record, { lacks: `version ${policy.version} is being published` })
      const answer = yield* publish.pipe(
        Effect.onError(() => Ref.set(record, { lacks: `the publish of version ${policy.version} failed` }))
      )
      yield* Ref.set(record, { held: policy })
      return Option.some(answer)
    })

  const proven: PublishRecords["proven"] = (url, policy) =>
    Effect.flatMap(Ref.get(record), (found) => {
      if (holds(found, policy)) return Effect.void
      const why = "held" in found ? `it holds version ${found.held.version} of ${found.held.run}` : found.lacks
      const reason = `no proof that it holds version ${policy.version} of ${policy.run}: ${why}`
      return Effect.fail(new GeneratorFailed({ url, reason, retryable: false }))
    })

  const records: PublishRecords = { targets, whole, proven }
  return records
})
