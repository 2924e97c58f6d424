/** The digest of a policy's files, as the trainer spells it: by name, each tensor's name, type, shape and little-endian bytes. */
import { hasher } from "@gradus/domain/Digest"
import { RunFileFailed } from "@gradus/experiment/AtomicFile"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

/** A header longer than this is none. */
const LONGEST = 100_000_000

const Tensor = Schema.Struct({
  dtype: Schema.Literal("F32"),
  shape: Schema.Array(Schema.Int),
  data_offsets: Schema.Tuple([Schema.Int, Schema.Int])
})
const decodeTensor = Schema.decodeUnknownEffect(Tensor)
const decodeHeader = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown)))

const bytesOf = (file: string, offset: number, count: number) =>
  Stream.unwrap(Effect.map(FileSystem.FileSystem, (fs) => fs.stream(file, { offset, bytesToRead: count })))

const read = (file: string, offset: number, count: number) =>
  Effect.map(Stream.runCollect(bytesOf(file, offset, count)), (chunks) => {
    const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
    let next = 0
    for (const chunk of chunks) {
      all.set(chunk, next)
      next += chunk.length
    }
    return all
  })

/** Lists the tensors of a safetensors file with the places of their bytes. */
const tensorsOf = Effect.fnUntraced(function* (file: string) {
  const start = yield* read(file, 0, 8)
  const length = start.length === 8 ? Number(new DataView(start.buffer).getBigUint64(0, true)) : Infinity
  if (length > LONGEST)
    return yield* new RunFileFailed({ file, operation: "read", reason: "it is no safetensors file" })
  const { __metadata__: _, ...header } = yield* decodeHeader(new TextDecoder().decode(yield* read(file, 8, length)))
  return yield* Effect.forEach(Object.entries(header), ([name, value]) =>
    Effect.map(decodeTensor(value), ({ data_offsets: [from, to], shape }) => ({
      file,
      name,
      shape,
      offset: 8 + length + from,
      count: to - from
    }))
  )
})

/** Hashes the weights of a Hugging Face directory; nothing is held in memory but a chunk of them. */
export const weightsDigest = Effect.fn("Sweep.weightsDigest")(
  function* (directory: string) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const files = (yield* fs.readDirectory(directory)).filter((name) => name.endsWith(".safetensors"))
    const tensors = (yield* Effect.forEach(files, (name) => tensorsOf(path.join(directory, name)))).flat()
    const hash = hasher()
    for (const { count, file, name, offset, shape } of tensors.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      hash.update(new TextEncoder().encode(`${name}\0float32\0${shape.join(",")}\0`))
      yield* Stream.runForEach(bytesOf(file, offset, count), (chunk) => Effect.sync(() => hash.update(chunk)))
    }
    return hash.digest()
  },
  (effect, file) =>
    Effect.mapError(effect, (cause) => new RunFileFailed({ file, operation: "read", reason: cause.message }))
)
