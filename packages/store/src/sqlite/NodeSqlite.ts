/**
 * The SqlClient of effect/sql on node:sqlite: one file, any number of processes of this machine. A file that another process is writing is asked for again
 * until the deadline, without holding up the event loop: SQLite's own waiting would.
 */
import { StoreDeadline, StoreFull } from "@gradus/domain/StoreError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Schedule from "effect/Schedule"
import * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import type * as SqlConnection from "effect/sql/SqlConnection"
import * as SqlError from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import { mkdirSync } from "node:fs"
import { dirname } from "node:path"
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite"

export interface SqliteOptions {
  readonly file: string
  /** How long one statement waits for a file that another process writes. Default 5 s. */
  readonly deadline?: Duration.Input | undefined
}

const BUSY = 5
const FULL = 13
const codeOf = (cause: unknown): number =>
  cause instanceof Error && "errcode" in cause && typeof cause.errcode === "number" ? cause.errcode & 0xff : 0

/** What SQLite threw. */
class Thrown {
  readonly _tag = "Thrown"
  readonly cause: unknown
  constructor(cause: unknown) {
    this.cause = cause
  }
}

const sqlError = (cause: unknown, operation: string): SqlError.SqlError => {
  // effect/sql classifies by `errno`, node:sqlite says `errcode`
  if (cause instanceof Error && "errcode" in cause) Object.assign(cause, { errno: cause.errcode })
  const message = cause instanceof Error ? cause.message : `sqlite failed at ${operation}`
  return new SqlError.SqlError({ reason: SqlError.classifySqliteError(cause, { operation, message }) })
}

const again = Schedule.min([Schedule.exponential("1 millis", 1.5), Schedule.spaced("25 millis")])

const parameter = (value: unknown): SQLInputValue => {
  if (value === undefined || value === null) return null
  if (typeof value === "boolean") return value ? 1 : 0
  if (value instanceof Uint8Array || typeof value === "number" || typeof value === "bigint") return value
  return String(value)
}

type Rows = ReadonlyArray<any>

/** Opens the file: a journal that readers need not wait for, flushed with each commit. */
const openFile = (file: string): DatabaseSync => {
  mkdirSync(dirname(file), { recursive: true })
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    database.exec("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
    return database
  } catch (cause) {
    database.close()
    throw cause
  }
}

const STATEMENTS_AT_MOST = 200

const statements = (database: DatabaseSync) => {
  const prepared = new Map<string, StatementSync>()
  return (sql: string): StatementSync => {
    const known = prepared.get(sql)
    if (known !== undefined) return known
    if (prepared.size >= STATEMENTS_AT_MOST) prepared.clear()
    const made = database.prepare(sql)
    prepared.set(sql, made)
    return made
  }
}

const make = Effect.fnUntraced(function* ({ deadline: input, file }: SqliteOptions) {
  const deadline = Duration.fromInputUnsafe(input ?? "5 seconds")
  const millis = Duration.toMillis(deadline)
  const nameOf = (cause: unknown, operation: string): unknown => {
    if (codeOf(cause) === BUSY) return new StoreDeadline({ store: file, operation, millis })
    return codeOf(cause) === FULL ? new StoreFull({ store: file, operation, millis: 0 }) : cause
  }
  /** Runs synchronous work of SQLite, again while another process has the file. */
  const waiting = <A>(operation: string, work: () => A): Effect.Effect<A, SqlError.SqlError> =>
    Effect.try({ try: work, catch: (cause) => new Thrown(cause) }).pipe(
      Effect.retry({
        schedule: again.pipe(Schedule.upTo({ duration: deadline })),
        while: ({ cause }) => codeOf(cause) === BUSY
      }),
      Effect.mapError(({ cause }) => sqlError(nameOf(cause, operation), operation))
    )
  const database = yield* Effect.acquireRelease(
    waiting("opening", () => openFile(file)),
    (open) => Effect.sync(() => open.close())
  )
  yield* waiting("opening", () => database.exec("PRAGMA journal_mode = WAL"))
  const prepare = statements(database)
  const run = (sql: string, parameters: ReadonlyArray<unknown>, mode: "rows" | "raw" | "values") =>
    Effect.withFiber<any, SqlError.SqlError>((fiber) =>
      waiting(sql.trim().split(/\s+/).slice(0, 2).join(" "), (): unknown => {
        const statement = prepare(sql)
        statement.setReadBigInts(fiber.getRef(SqlClient.SafeIntegers))
        statement.setReturnArrays(mode === "values")
        const values = parameters.map(parameter)
        if (statement.columns().length > 0) return statement.all(...values)
        const changed = statement.run(...values)
        return mode === "raw" ? changed : []
      })
    )
  const mapped = (
    rows: Effect.Effect<Rows, SqlError.SqlError>,
    transform: (<A extends object>(rows: ReadonlyArray<A>) => ReadonlyArray<A>) | undefined
  ) => (transform === undefined ? rows : Effect.map(rows, transform))
  const connection: SqlConnection.Connection = {
    execute: (sql, parameters, transform) => mapped(run(sql, parameters, "rows"), transform),
    executeRaw: (sql, parameters) => run(sql, parameters, "raw"),
    executeValues: (sql, parameters) => run(sql, parameters, "values"),
    executeValuesUnprepared: (sql, parameters) => run(sql, parameters, "values"),
    executeUnprepared: (sql, parameters, transform) => mapped(run(sql, parameters, "rows"), transform),
    executeStream: (sql, parameters, transform) =>
      Stream.fromIterableEffect(mapped(run(sql, parameters, "rows"), transform))
  }
  const acquirers = SqlClient.makeSqliteAcquirers({
    connection: Effect.succeed(connection),
    semaphore: yield* Semaphore.make(1),
    isTransaction: () => database.isTransaction
  })
  return yield* SqlClient.make({
    ...acquirers,
    beginTransaction: "BEGIN IMMEDIATE",
    compiler: Statement.makeCompilerSqlite(),
    driver: "node:sqlite",
    spanAttributes: [["db.system.name", "sqlite"]]
  })
})

/** Opens one file for all that is stored in it. */
export const layer = (options: SqliteOptions): Layer.Layer<SqlClient.SqlClient, SqlError.SqlError> =>
  Layer.effect(SqlClient.SqlClient, make(options)).pipe(Layer.provide(Reactivity.layer))
