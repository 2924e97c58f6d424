/** What can be wrong with a data set: with the file as a whole, with one row, or with the sets that were made of it. */
import * as Schema from "effect/Schema"

/** The file cannot be had, or is not what its name says. */
export class DatasetUnreadable extends Schema.TaggedError<DatasetUnreadable>()("DatasetUnreadable", {
  file: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `${this.file}: ${this.reason}`
  }
}

/** One row is wrong. `row` counts from 1: lines of a JSONL file, rows of a Parquet file. */
export class DatasetRowInvalid extends Schema.TaggedError<DatasetRowInvalid>()("DatasetRowInvalid", {
  file: Schema.String,
  row: Schema.Int,
  column: Schema.optionalKey(Schema.String),
  reason: Schema.String
}) {
  override get message() {
    const column = this.column === undefined ? "" : `, column "${this.column}"`
    return `${this.file}, row ${this.row}${column}: ${this.reason}`
  }
}

/** A level of a procedural task has fewer questions than are asked for. */
export class QuestionSpaceExhausted extends Schema.TaggedError<QuestionSpaceExhausted>()("QuestionSpaceExhausted", {
  task: Schema.String,
  /** Set that could not be filled: train, heldout, hard or warmup. */
  set: Schema.String,
  level: Schema.String,
  asked: Schema.Int,
  /** Distinct questions that were found. */
  found: Schema.Int
}) {
  override get message() {
    return `${this.task}: ${this.set} asks for ${this.asked} questions of ${this.level}, and only ${this.found} more could be found that no set has`
  }
}

/** Questions that stand in two sets. */
export class QuestionSetsOverlap extends Schema.TaggedError<QuestionSetsOverlap>()("QuestionSetsOverlap", {
  /** How many questions overlap. */
  count: Schema.Int,
  /** The first of them: the same text under two ids. */
  overlaps: Schema.Array(
    Schema.Struct({
      question: Schema.String,
      first: Schema.Struct({ set: Schema.String, question_id: Schema.String }),
      second: Schema.Struct({ set: Schema.String, question_id: Schema.String })
    })
  )
}) {
  override get message() {
    const named = this.overlaps.map(
      ({ first, second }) => `${second.set} ${second.question_id} is ${first.set} ${first.question_id}`
    )
    const more = this.count > named.length ? `, and ${this.count - named.length} more` : ""
    return `the question sets overlap: ${named.join(", ")}${more}`
  }
}

/** Bytes are not a Parquet table of the expected columns. */
export class TableUnreadable extends Schema.TaggedError<TableUnreadable>()("TableUnreadable", {
  table: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `${this.table}: ${this.reason}`
  }
}
