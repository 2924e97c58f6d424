/**
 * The run lease on one machine: an SQLite file in the run directory that its owner keeps locked. The operating system takes the lock away from a
 * process that dies, also by kill -9, so nothing has to expire; the number in the file only ever grows.
 */
import { type EarlierOwner, RunLease, RunLeaseFailed, RunOwned } from "@gradus/domain/RunLease"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { existsSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { processName } from "./ProcessName.ts"

/** The lease's file in a run directory. */
export const LEASE_FILE = "lease.sqlite"

/** SQLITE_BUSY in its primary and extended forms: the low byte says it. */
const isBusy = (cause: unknown): boolean =>
  cause instanceof Error && "errcode" in cause && typeof cause.errcode === "number" && (cause.errcode & 0xff) === 5

/** Takes a number above `floor` and keeps the file locked: in this mode SQLite holds the lock of a write until the connection closes. */
const take = (database: DatabaseSync, floor: number): number => {
  database.exec("PRAGMA locking_mode = EXCLUSIVE")
  database.exec("BEGIN EXCLUSIVE")
  database.exec("CREATE TABLE IF NOT EXISTS lease (id INTEGER PRIMARY KEY CHECK (id = 1), number INTEGER NOT NULL)")
  const row = database
    .prepare(
      "INSERT INTO lease VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET number = max(number + 1, ?1) RETURNING number"
    )
    .get(floor + 1)
  database.exec("COMMIT")
  return Number(row?.["number"])
}

const open = (directory: string, floor: number): { readonly database: DatabaseSync; readonly number: number } => {
  mkdirSync(directory, { recursive: true })
  const database = new DatabaseSync(join(directory, LEASE_FILE), { timeout: 0 })
  try {
    return { database, number: take(database, floor) }
  } catch (cause) {
    database.close()
    throw cause
  }
}

/** Says whether a process of this machine holds the lease of a directory. */
export const isLocked = (directory: string): boolean => {
  const file = join(directory, LEASE_FILE)
  if (!existsSync(file)) return false
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    database.exec("BEGIN IMMEDIATE")
    database.exec("ROLLBACK")
    return false
  } catch (cause) {
    if (isBusy(cause)) return true
    throw cause
  } finally {
    database.close()
  }
}

/** An owner through Redis cannot be asked here, so a directory that it has not left in order stays its own. */
const ownedElsewhere = ({ record }: EarlierOwner): string | undefined =>
  record === undefined || record.store === "local"
    ? undefined
    : `${record.owner} through ${record.store}, which must be asked: give the same --redis`

/** Grants leases of run directories to processes of this machine. */
export const layer: Layer.Layer<RunLease> = Layer.succeed(RunLease, {
  acquire: Effect.fn("EmbeddedRunLease.acquire")(function* (directory: string, earlier: EarlierOwner) {
    const owner = ownedElsewhere(earlier)
    if (owner !== undefined) return yield* new RunOwned({ directory, owner })
    const held = yield* Effect.acquireRelease(
      Effect.try({
        try: () => open(directory, earlier.number),
        catch: (cause) =>
          isBusy(cause)
            ? new RunOwned({ directory })
            : new RunLeaseFailed({ directory, reason: cause instanceof Error ? cause.message : String(cause) })
      }),
      ({ database }) => Effect.sync(() => database.close())
    )
    const record = { format: 1, number: held.number, store: "local", owner: processName } as const
    // the operating system keeps the lock for as long as this process lives
    return { record, verify: Effect.void, lost: Effect.never }
  })
})
