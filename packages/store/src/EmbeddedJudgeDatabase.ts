/**
 * The file in which the judges of one machine share what they count and what was said. In SQLite's write-ahead mode readers never wait, and
 * what a transaction has committed outlives a process that is killed by -9 (a power cut may take the last moments, which cost a judgement).
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { mkdirSync } from "node:fs"
import { dirname } from "node:path"
import { DatabaseSync } from "node:sqlite"

/** The file cannot be opened, or is none of ours. */
export class JudgeStoreFailed extends Schema.TaggedError<JudgeStoreFailed>()("JudgeStoreFailed", {
  file: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `${this.file} cannot be used as the judges' store: ${this.reason}; if it is broken, delete it: verdicts are asked for again`
  }
}

/** Milliseconds that a writer waits for another process's transaction. Each takes microseconds; only a stopped process is slower. */
const BUSY_MILLIS = 5_000

/** Raised with every change of what the tables hold; other files are refused. */
const FORMAT = 1

const TABLES = `
  CREATE TABLE IF NOT EXISTS verdicts (key TEXT PRIMARY KEY, verdict TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS sums (account TEXT PRIMARY KEY, sum REAL NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS states (key TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
`

const open = (file: string): DatabaseSync => {
  mkdirSync(dirname(file), { recursive: true })
  const database = new DatabaseSync(file, { timeout: BUSY_MILLIS })
  try {
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
    const format = Number(database.prepare("PRAGMA user_version").get()?.["user_version"])
    if (format !== 0 && format !== FORMAT) throw new Error(`it has format ${format}; this version reads ${FORMAT}`)
    database.exec(`BEGIN IMMEDIATE; ${TABLES} PRAGMA user_version = ${FORMAT}; COMMIT`)
    return database
  } catch (cause) {
    database.close()
    throw cause
  }
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/** The open file. Its calls are synchronous and throw what SQLite throws: the ports above turn that into their own failures. */
export class JudgeDatabase extends Context.Service<
  JudgeDatabase,
  {
    readonly sql: DatabaseSync
    /** Replaces the state of a key by what a function makes of it, with no other process between: returns what the function returns. */
    readonly change: <A>(
      key: string,
      next: (state: string | undefined) => { readonly state: string; readonly result: A }
    ) => A
    /** Reads the state of a key. */
    readonly state: (key: string) => string | undefined
  }
>()("@gradus/store/JudgeDatabase") {
  /** Opens a file, or makes it, for as long as the layer lives. */
  static readonly layer = (file: string): Layer.Layer<JudgeDatabase, JudgeStoreFailed> =>
    Layer.effect(
      JudgeDatabase,
      Effect.gen(function* () {
        const sql = yield* Effect.acquireRelease(
          Effect.try({
            try: () => open(file),
            catch: (cause) => new JudgeStoreFailed({ file, reason: reasonOf(cause) })
          }),
          (database) => Effect.sync(() => database.close())
        )
        const read = sql.prepare("SELECT state FROM states WHERE key = ?")
        const write = sql.prepare(
          "INSERT INTO states VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET state = excluded.state"
        )
        const state = (key: string): string | undefined => {
          const row = read.get(key)
          return row === undefined ? undefined : String(row["state"])
        }
        return {
          sql,
          state,
          change: (key, next) => {
            sql.exec("BEGIN IMMEDIATE")
            try {
              const { result, state: after } = next(state(key))
              write.run(key, after)
              sql.exec("COMMIT")
              return result
            } catch (cause) {
              sql.exec("ROLLBACK")
              throw cause
            }
          }
        }
      })
    )
}
