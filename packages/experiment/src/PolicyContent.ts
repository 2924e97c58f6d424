/** What lies behind a policy's path, by its bytes: another model under the same path is another policy. */
import { type Digest, hasher, ofJson, ofText } from "@gradus/domain/Digest"
import type { PolicySpec } from "@gradus/domain/manifest/Policy"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { exists, readJson, RunFileFailed, writeJson } from "./AtomicFile.ts"

/** Files that are read again only when one of these differs: a model of some GB takes seconds to read, and runs start often. */
const Stamp = Schema.Struct({ name: Schema.String, size: Schema.Finite, mtime: Schema.Finite, ino: Schema.String })
type Stamp = typeof Stamp.Type
const Known = Schema.Struct({ format: Schema.Literal(1), stamps: Schema.Array(Stamp), content: Schema.String })

const PIECE = 1 << 20

/** What the trainer reads of a Hugging Face directory. */
const isRead = (name: string): boolean =>
  name.endsWith(".safetensors") || name === "config.json" || name === "tokenizer.json"

const namesIn = Effect.fnUntraced(function* (root: string) {
  const fs = yield* FileSystem.FileSystem
  return (yield* fs.readDirectory(root)).filter(isRead).toSorted()
})

const stampOf = Effect.fnUntraced(function* (file: string, name: string) {
  const fs = yield* FileSystem.FileSystem
  const { ino, mtime, size } = yield* fs.stat(file)
  return {
    name,
    size: Number(size),
    mtime: Option.match(mtime, { onNone: () => 0, onSome: (date) => date.getTime() }),
    ino: String(Option.getOrElse(ino, () => 0n))
  } satisfies Stamp
})

const digestOf = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const hash = hasher()
  yield* Stream.runForEach(fs.stream(file, { chunkSize: PIECE }), (bytes) => Effect.sync(() => hash.update(bytes)))
  return hash.digest()
})

const same = (a: ReadonlyArray<Stamp>, b: ReadonlyArray<Stamp>): boolean => ofJson(a) === ofJson(b)

/** Digests the files of a path, or finds what was digested when they looked the same. `notes` is where that is kept. */
const contentAt = Effect.fnUntraced(function* (root: string, kind: "huggingface" | "gguf", notes: string) {
  const path = yield* Path.Path
  const names = kind === "gguf" ? [""] : yield* namesIn(root)
  const stamps = yield* Effect.forEach(names, (name) => stampOf(path.join(root, name), name))
  const note = path.join(notes, ofText(root), "content.json")
  // a note that cannot be read is one that is made anew
  const known = (yield* exists(note)) ? yield* Effect.option(readJson(Known, note)) : Option.none()
  if (Option.isSome(known) && same(known.value.stamps, stamps)) return known.value.content
  const files = yield* Effect.forEach(names, (name) =>
    Effect.map(digestOf(path.join(root, name)), (digest) => [name, digest] as const)
  )
  const content: Digest = ofJson({ kind, files: Object.fromEntries(files) })
  yield* writeJson(note, { format: 1, stamps, content })
  return content
})

/** Gives the digest of what lies behind a policy's path. Undefined for a policy without a path, and where this host has nothing there: then the trainer's has. */
export const contentOf = Effect.fn("PolicyContent.of")(function* (policy: PolicySpec, base: string, artifacts: string) {
  if (policy.kind !== "huggingface" && policy.kind !== "gguf") return undefined
  const path = yield* Path.Path
  const root = path.resolve(base, policy.path)
  if (!(yield* exists(root))) return undefined
  return yield* contentAt(root, policy.kind, path.join(artifacts, "policy-content")).pipe(
    Effect.catchTag("PlatformError", ({ message }) =>
      Effect.fail(new RunFileFailed({ file: root, operation: "read", reason: message }))
    )
  )
})
