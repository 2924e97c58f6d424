/** The manifest could not be read from disk. */
import * as Schema from "effect/Schema"

/** `file` as it was asked for, and why it could not be read. */
export class ManifestUnreadable extends Schema.TaggedError<ManifestUnreadable>()("ManifestUnreadable", {
  file: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.file}: ${this.reason}`
  }
}
