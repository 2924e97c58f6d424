/** Shared data beside the checkout, for tests of rules on real answers; undefined where the machine has none. */
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as Schema from "effect/Schema"

const shared = new URL("../../../../shared/data/", import.meta.url)

/** Reads a JSONL file of the shared data; `count` rows are expected, so that a file that was emptied proves nothing. */
export const readRows = <S extends Schema.ConstraintDecoder<unknown>>(
  path: string,
  row: S,
  count: number
): ReadonlyArray<S["Type"]> | undefined => {
  const file = fileURLToPath(new URL(path, shared))
  if (!existsSync(file)) return undefined
  const decode = Schema.decodeUnknownSync(Schema.fromJsonString(row))
  const rows = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => decode(line))
  if (rows.length !== count) throw new Error(`${path} has ${rows.length} rows, not ${count}`)
  return rows
}
