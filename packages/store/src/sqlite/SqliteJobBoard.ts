/** Where each job stands, in SQLite. A record is written under a fencing number, compared in the same statement (whom an equal number lets pass: JobBoard). */
import { JobRecord } from "@gradus/domain/Job"
import { JobBoard, JobRecordStale } from "@gradus/domain/WorkQueue"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { storeError } from "../FailureCause.ts"

const Row = Schema.Struct({ record: Schema.fromJsonString(JobRecord) })
const decode = Schema.decodeUnknownEffect(Schema.Array(Row))

const make = Effect.fnUntraced(function* (store: string) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE IF NOT EXISTS job (name TEXT PRIMARY KEY, fence INTEGER NOT NULL, record TEXT NOT NULL)`
  const failed = (operation: string) => Effect.mapError(storeError(store, operation))
  return JobBoard.of({
    put: Effect.fn("SqliteJobBoard.put")(function* (record) {
      const { fence, name } = record
      const written = yield* sql`INSERT INTO job VALUES (${name}, ${fence}, ${JSON.stringify(record)})
        ON CONFLICT (name) DO UPDATE SET fence = excluded.fence, record = excluded.record
        WHERE fence < excluded.fence OR (fence = excluded.fence AND (
          record ->> 'worker' IS NULL OR record ->> 'worker' = excluded.record ->> 'worker' OR record ->> 'state' = 'queued'
          OR (record ->> 'state' <> 'running' AND excluded.record ->> 'worker' IS NULL)
        )) RETURNING fence`.pipe(failed("writing a job's record"))
      if (written.length === 0) return yield* new JobRecordStale({ name, fence })
    }),
    get: Effect.fn("SqliteJobBoard.get")(function* (name) {
      const rows = yield* sql`SELECT record FROM job WHERE name = ${name}`.pipe(failed("reading a job's record"))
      return (yield* Effect.orDie(decode(rows)))[0]?.record
    }),
    all: Effect.gen(function* () {
      const rows = yield* sql`SELECT record FROM job ORDER BY name`.pipe(failed("reading the jobs' records"))
      return (yield* Effect.orDie(decode(rows))).map(({ record }) => record)
    })
  })
})

/** `store` is how the file is called in errors. */
export const layer = (store: string): Layer.Layer<JobBoard, SqlError, SqlClient.SqlClient> =>
  Layer.effect(JobBoard, make(store))
