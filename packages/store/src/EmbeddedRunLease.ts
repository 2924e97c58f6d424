/**
 * The run lease on one machine: an SQLite file in the run directory that its owner keeps locked. The operating system takes the lock away from a
 * process that dies, also by kill -9, so nothing has to expire; the number in the file only ever grows.
 */
import { RunLease, RunLeaseFailed, RunOwned } from "@gradus/domain/RunLease"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"

/** The lease's file in a run directory. */
export const LEASE_FILE = "lease.sqlite"

/** SQLITE_BUSY in its primary and extended forms: the low byte says it. */
const isBusy = (cause: unknown): boolean =>
  cause instanceof Error && "errcode" in cause && typeof cause.errcode === "number" && (cause.errcode & 0xff) === 5

/** Takes the next number and keeps the file locked: in this mode SQLite holds the lock of a write until the connection closes. */
const take = (database: DatabaseSync): number => {
  database.exec("PRAGMA locking_mode = EXCLUSIVE")
  database.exec("BEGIN EXCLUSIVE")
  database.exec("CREATE TABLE IF NOT EXISTS lease (id INTEGER PRIMARY KEY CHECK (id = 1), number INTEGER NOT NULL)")
  const row = database
    .prepare("INSERT INTO lease VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET number = number + 1 RETURNING number")
    .get()
  database.exec("COMMIT")
  return Number(row?.["number"])
}

const open = (directory: string): { readonly database: DatabaseSync; readonly number: number } => {
  mkdirSync(directory, { recursive: true })
  const database = new DatabaseSync(join(directory, LEASE_FILE), { timeout: 0 })
  try {
    return { database, number: take(database) }
  } catch (cause) {
    database.close()
    throw cause
  }
}

/** Grants leases of run directories to processes of this machine. */
export const layer: Layer.Layer<RunLease> = Layer.succeed(RunLease, {
  acquire: Effect.fn("EmbeddedRunLease.acquire")(function* (directory: string) {
    const held = yield* Effect.acquireRelease(
      Effect.try({
        try: () => open(directory),
        catch: (cause) =>
          isBusy(cause)
            ? new RunOwned({ directory })
            : new RunLeaseFailed({ directory, reason: cause instanceof Error ? cause.message : String(cause) })
      }),
      ({ database }) => Effect.sync(() => database.close())
    )
    return held.number
  })
})
