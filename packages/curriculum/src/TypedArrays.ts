/** Schemas of typed arrays: in a snapshot they are base64 of their little-endian bytes, shorter than decimal text and exact. */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"

const bytesOf = (array: Int32Array | Float64Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

/** Typed arrays begin at multiples of their element's size, which the bytes of a decoder need not: hence the copy. */
const aligned = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer

// The casts below: a schema of a class is of any buffer, a decoded array of an ArrayBuffer; the two are one to whoever reads them.
const whole = (size: number) =>
  Schema.makeFilter((bytes: Uint8Array) => bytes.byteLength % size === 0 || `is no whole number of ${size}-byte values`)

/** Int32Array, encoded as base64. */
export const Int32s: Schema.Codec<Int32Array, string> = Schema.Uint8ArrayFromBase64.check(whole(4)).pipe(
  Schema.decodeTo(
    Schema.instanceOf(Int32Array),
    SchemaTransformation.transform<Int32Array<ArrayBuffer>, Uint8Array<ArrayBufferLike>>({
      decode: (bytes) => new Int32Array(aligned(bytes)),
      encode: bytesOf
    })
  )
) as never

/** Float64Array, encoded as base64. */
export const Float64s: Schema.Codec<Float64Array, string> = Schema.Uint8ArrayFromBase64.check(whole(8)).pipe(
  Schema.decodeTo(
    Schema.instanceOf(Float64Array),
    SchemaTransformation.transform<Float64Array<ArrayBuffer>, Uint8Array<ArrayBufferLike>>({
      decode: (bytes) => new Float64Array(aligned(bytes)),
      encode: bytesOf
    })
  )
) as never
