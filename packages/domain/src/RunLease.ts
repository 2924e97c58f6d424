/** Ownership of a run directory: one orchestrator at a time. The port; packages/store implements it. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"

/** Another process owns the run. */
export class RunOwned extends Schema.TaggedError<RunOwned>()("RunOwned", { directory: Schema.String }) {
  override get message(): string {
    return `another process is working on ${this.directory}; wait for it or stop it, then run the same command again`
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

export class RunLease extends Context.Service<
  RunLease,
  {
    /** Takes the lease of a run directory until the scope closes or the process dies, and returns its fencing number: each one is higher than the last. */
    readonly acquire: (directory: string) => Effect.Effect<number, RunOwned | RunLeaseFailed, Scope.Scope>
  }
>()("@gradus/domain/RunLease") {}
