/** What lies at the bottom of a failure of effect/persistence or effect/sql: a StoreError of ours, or something that only has a text. */
import { StoreError, StoreFailed } from "@gradus/domain/StoreError"
import * as Schema from "effect/Schema"

const isStoreError = Schema.is(StoreError)

const DEPTH = 8

const inside = (error: unknown): unknown => {
  if (typeof error !== "object" || error === null) return undefined
  if ("reasons" in error && Array.isArray(error.reasons)) return error.reasons[0]
  if ("error" in error) return error.error
  if ("reason" in error && typeof error.reason === "object") return error.reason
  return "cause" in error ? error.cause : undefined
}

/** Finds the StoreError in a failure, or makes one of its text. */
export const storeError =
  (store: string, operation: string) =>
  (failure: unknown): StoreError => {
    let at: unknown = failure
    for (let i = 0; i < DEPTH && at !== undefined; i++) {
      if (isStoreError(at)) return at
      at = inside(at)
    }
    return new StoreFailed({ store, operation, reason: failure instanceof Error ? failure.message : String(failure) })
  }
