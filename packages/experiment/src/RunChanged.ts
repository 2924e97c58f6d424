import * as Schema from "effect/Schema"

/** The directory holds a run of another manifest, of other questions or from other weights. */
export class RunChanged extends Schema.TaggedError<RunChanged>()("RunChanged", {
  directory: Schema.String,
  /** The first thing that differs: a path in the manifest, `dataset`, `policy.path` or `policy.weights`. */
  field: Schema.String
}) {
  override get message(): string {
    return `${this.directory} holds a run with another ${this.field}; nothing was changed. Use another --runs directory or name`
  }
}
