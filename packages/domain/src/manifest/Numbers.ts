/** The number ranges that manifests use, named. */
import * as Schema from "effect/Schema"

export const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1), Schema.isLessThanOrEqualTo(1_000_000_000))
export const Index = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0), Schema.isLessThanOrEqualTo(1_000_000_000))
export const Share = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0), Schema.isLessThanOrEqualTo(1))
export const Positive = Schema.Finite.check(Schema.isGreaterThan(0))
export const NonNegative = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))
/** Root seeds are exact integers, so that YAML's and JSON's numbers mean the same. */
export const RootSeed = Schema.Int.check(
  Schema.isGreaterThanOrEqualTo(0),
  Schema.isLessThanOrEqualTo(Number.MAX_SAFE_INTEGER)
)
/** A name that may become part of a path. */
export const Name = Schema.String.check(Schema.isPattern(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/))
/** A text without NUL, which no file system or process takes. */
// oxlint-disable-next-line no-control-regex -- NUL is what is refused here
export const Text = Schema.String.check(Schema.isPattern(/^[^\u0000]*$/))
/** An address whose path is added to. A query is none of it: a key in one would be written in every file that quotes the manifest. */
export const Address = Text.check(Schema.isPattern(/^https?:\/\//), Schema.isPattern(/^[^?#]*$/))
/** A secret is named, never written: `{ env: NAME }`. */
export const SecretReference = Schema.Struct({ env: Schema.String.check(Schema.isPattern(/^[A-Za-z_][A-Za-z0-9_]*$/)) })
