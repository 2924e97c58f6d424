/** All that a store does, whichever it is. */
import type { LiveEvents } from "@gradus/domain/LiveEvents"
import type { RunLease } from "@gradus/domain/RunLease"
import type { JobBoard, WorkQueue } from "@gradus/domain/WorkQueue"
import type * as KeyValueStore from "effect/persistence/KeyValueStore"
import type * as Persistence from "effect/persistence/Persistence"
import type * as RateLimiter from "effect/persistence/RateLimiter"

export type StoreServices =
  | RunLease
  | WorkQueue
  | JobBoard
  | LiveEvents
  | KeyValueStore.KeyValueStore
  | Persistence.Persistence
  | RateLimiter.RateLimiter
