/** A file of rows through a function: read, decode with the row's number, write in the same order. */
import { DatasetRowInvalid } from "@gradus/datasets/DatasetErrors"
import { readRows } from "@gradus/datasets/service/Rows"
import { writeFile } from "@gradus/experiment/AtomicFile"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** Reads and decodes every row; the first one that is not what the schema says fails with its number. */
export const decodeFile = <S extends Schema.Top & { readonly DecodingServices: never }>(schema: S, file: string) =>
  Effect.gen(function* () {
    const decode = Schema.decodeUnknownEffect(schema)
    const rows = yield* readRows(file)
    return yield* Effect.forEach(rows, (row) =>
      decode(row.values).pipe(
        Effect.mapError((error) => new DatasetRowInvalid({ file, row: row.row, reason: error.message }))
      )
    )
  })

/** Writes rows as JSONL, whole or not at all. */
export const writeRows = (file: string, rows: ReadonlyArray<unknown>) =>
  writeFile(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""))
