/** Ownership of a run directory: one orchestrator at a time. The port; packages/store implements it. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { StoreError } from "./StoreError.ts"

/** Another process owns the run. */
export class RunOwned extends Schema.TaggedError<RunOwned>()("RunOwned", {
  directory: Schema.String,
  /** Who that is, where it is known. */
  owner: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    const owner = this.owner === undefined ? "" : ` (${this.owner})`
    return `another process is working on ${this.directory}${owner}; wait for it or stop it, then run the same command again`
  }
}

/** Nobody can say who owns the run: the lease's store cannot be read or written. */
export class RunLeaseFailed extends Schema.TaggedError<RunLeaseFailed>()("RunLeaseFailed", {
  directory: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `the lease of ${this.directory} cannot be taken: ${this.reason}`
  }
}

/** The lease ran out and another process took it, or may have. */
export class RunLeaseLost extends Schema.TaggedError<RunLeaseLost>()("RunLeaseLost", {
  directory: Schema.String,
  /** The fencing number that no longer counts. */
  number: Schema.Int
}) {
  override get message(): string {
    return `the lease ${this.number} of ${this.directory} is lost; another process goes on with the run, and this one wrote nothing more`
  }
}

/** Who owns a run directory, as it lies there. It is removed when an owner leaves in order. */
export const OwnerRecord = Schema.Struct({
  format: Schema.Literal(1),
  number: Schema.Int,
  /** Where the lease was taken: `local`, or the address of a Redis. */
  store: Schema.String,
  /** Who took it: host and process. */
  owner: Schema.String,
  /** How far that Redis was: one that is behind has lost something. */
  generation: Schema.optionalKey(Schema.Struct({ id: Schema.String, sequence: Schema.Int }))
})
export type OwnerRecord = typeof OwnerRecord.Type

/** What an earlier owner left in the directory. */
export interface EarlierOwner {
  /** The highest fencing number so far; 0 where there was none. */
  readonly number: number
  /** Absent where the last owner left in order. */
  readonly record: OwnerRecord | undefined
}

/** A lease that is held. */
export interface RunHold {
  readonly record: OwnerRecord
  /** Succeeds while the lease is held. Asked before and after each write that counts. */
  readonly verify: Effect.Effect<void, RunLeaseLost | StoreError>
  /** Fails when the lease is found to be lost, also while nobody asks; never succeeds. */
  readonly lost: Effect.Effect<never, RunLeaseLost | StoreError>
}

export class RunLease extends Context.Service<
  RunLease,
  {
    /** Takes the lease of a run directory until the scope closes or the process dies. Its fencing number is higher than any before it, in whatever store. */
    readonly acquire: (
      directory: string,
      earlier: EarlierOwner
    ) => Effect.Effect<RunHold, RunOwned | RunLeaseFailed | StoreError, Scope.Scope>
  }
>()("@gradus/domain/RunLease") {}
