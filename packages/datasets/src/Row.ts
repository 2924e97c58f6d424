/** A row of a data set as it was read: nothing is known of its columns yet. */

export interface Row {
  /** From 1: the line of a JSONL file, the row of a Parquet file. */
  readonly row: number
  readonly values: Readonly<Record<string, unknown>>
}
