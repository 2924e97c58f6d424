/** The queue that workers take jobs from, and the board that says where each stands. Ports; packages/store implements them. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Job, JobRecord } from "./Job.ts"
import type { StoreError } from "./StoreError.ts"

/** After this many deliveries that ended in a crash or a failure a job is set aside. */
export const DELIVERIES_AT_MOST = 100

export interface Delivery {
  readonly id: string
  /** How often the job was handed out, this time included. */
  readonly delivery: number
}

/** Jobs are delivered at least once: a worker that dies is found out by its lock, and its job goes to another one. */
export class WorkQueue extends Context.Service<
  WorkQueue,
  {
    /** Adds a job, unless one was ever added under this id. */
    readonly offer: (id: string, job: Job) => Effect.Effect<void, StoreError>
    /**
     * Waits for a job and works on it. Success ends the job, failure brings it back after a pause, an interrupt gives it back at once. Fails when the store
     * went back in time or stays away.
     */
    readonly take: <A, E, R>(
      work: (job: Job, delivery: Delivery) => Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | StoreError, R>
  }
>()("@gradus/domain/WorkQueue") {}

/** Somebody with a higher fencing number has written the record since, or another worker under the same. */
export class JobRecordStale extends Schema.TaggedError<JobRecordStale>()("JobRecordStale", {
  name: Schema.String,
  fence: Schema.Int
}) {
  override get message(): string {
    return `the record of ${this.name} belongs to another worker than the one that wrote under ${this.fence}; this one changed nothing`
  }
}

export class JobBoard extends Context.Service<
  JobBoard,
  {
    /**
     * Writes a record unless one with a higher fencing number is there. Under an equal number a worker replaces its own record and one that waits, and who
     * adds a job again one that ended: who has no lease of its own writes under the number that it found, which may be a living owner's.
     */
    readonly put: (record: JobRecord) => Effect.Effect<void, JobRecordStale | StoreError>
    readonly get: (name: string) => Effect.Effect<JobRecord | undefined, StoreError>
    /** All records, by name. */
    readonly all: Effect.Effect<ReadonlyArray<JobRecord>, StoreError>
  }
>()("@gradus/domain/JobBoard") {}
