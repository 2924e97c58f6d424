/** Manifests on disk: chains of `extends`, and files that are refused by what they are before they are read. */
import { cpuMillis } from "@gradus/testing/CpuMillis"
import { assert, describe, layer } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { load } from "../src/service/Load.ts"
import { good } from "./GoodManifest.ts"

/** Writes files into a directory of their own and loads the last. */
const loaded = Effect.fnUntraced(function* (
  files: Record<string, string | Uint8Array>,
  overrides: ReadonlyArray<string> = []
) {
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const directory = yield* fs.makeTempDirectoryScoped()
  for (const [name, content] of Object.entries(files)) {
    yield* fs.makeDirectory(paths.dirname(paths.join(directory, name)), { recursive: true })
    yield* fs.writeFile(
      paths.join(directory, name),
      typeof content === "string" ? new TextEncoder().encode(content) : content
    )
  }
  const last = Object.keys(files).at(-1)!
  const result = yield* Effect.result(load(paths.join(directory, last), overrides))
  return { directory, result }
})

/** Loads files that must be refused; gives the error's message with their directory taken out. */
const refused = Effect.fnUntraced(function* (files: Record<string, string | Uint8Array>) {
  const { directory, result } = yield* loaded(files)
  assert(result._tag === "Failure", "it was accepted")
  return `${result.failure._tag} ${result.failure.message.replaceAll(`${directory}/`, "")}`
})

const accepted = Effect.fnUntraced(function* (files: Record<string, string>, overrides: ReadonlyArray<string> = []) {
  const { directory, result } = yield* loaded(files, overrides)
  assert(result._tag === "Success", result._tag === "Failure" ? result.failure.message : "")
  return { directory, manifest: result.success }
})

layer(NodeServices.layer)("load", (it) => {
  it.effect("reads a file, applies overrides, and says where it lies", () =>
    Effect.gen(function* () {
      const { directory, manifest } = yield* accepted({ "m.yaml": good }, ["seed=5"])
      assert.strictEqual(manifest.manifest.seed, 5)
      assert.strictEqual(manifest.directory, directory)
      assert.deepStrictEqual(
        manifest.sources.map((source) => source.text),
        [good]
      )
    })
  )

  it.effect("follows extends, relative to the file that says it, base first", () =>
    Effect.gen(function* () {
      const { directory, manifest } = yield* accepted({
        "base/all.yaml": good,
        "base/mid.yaml": "extends: all.yaml\nseed: 1\ntrain: {steps: 3}\n",
        "other.yaml": "seed: 2\n",
        "run/m.yaml": "extends: [../base/mid.yaml, ../other.yaml]\nname: last\n"
      })
      assert.deepStrictEqual(
        manifest.sources.map((source) => source.file.slice(directory.length + 1)),
        ["base/all.yaml", "base/mid.yaml", "other.yaml", "run/m.yaml"]
      )
      const { seed, name, train } = manifest.manifest
      assert.deepStrictEqual({ seed, name, steps: train.steps }, { seed: 2, name: "last", steps: 3 })
      assert.strictEqual(manifest.directory, `${directory}/run`)
      assert.notProperty(manifest.written, "extends")
    })
  )

  describe("refuses", () => {
    const cases: ReadonlyArray<readonly [name: string, files: Record<string, string | Uint8Array>, message: string]> = [
      [
        "a cycle",
        { "a.yaml": "x: 1\nextends: b.yaml\n", "b.yaml": "extends: a.yaml\n" },
        "ManifestInvalid a.yaml:2:10 extends: extends itself, directly or through others"
      ],
      [
        "a chain of 18",
        Object.fromEntries(
          Array.from({ length: 19 }, (_, i) => [`${18 - i}.yaml`, i === 0 ? good : `extends: ${19 - i}.yaml\n`])
        ),
        "ManifestInvalid 16.yaml:1:10 extends: is more than 16 files deep"
      ],
      [
        "a tree of 2^16 files",
        Object.fromEntries(
          Array.from({ length: 16 }, (_, i) => [
            `${15 - i}.yaml`,
            i === 0 ? good : `extends: [${16 - i}.yaml, ./${16 - i}.yaml]\n`
          ])
        ),
        "extends[1]: more than 64 files are extended"
      ],
      [
        "a missing base",
        { "m.yaml": "extends: no.yaml\n" },
        "ManifestInvalid m.yaml:1:10 extends: cannot be followed: no.yaml: no such file"
      ],
      [
        "an absolute base",
        { "m.yaml": "extends: /etc/passwd\n" },
        "ManifestInvalid m.yaml:1:10 extends: must be relative to the file that says it"
      ],
      [
        "a base that is no name",
        { "m.yaml": "extends: [3]\n" },
        "m.yaml:1:11 extends[0]: must be a file name or a list of file names"
      ],
      [
        "a base with errors",
        { "b.yaml": "seed: 1\nseed: 2\n", "m.yaml": "extends: b.yaml\n" },
        "ManifestInvalid b.yaml:2:1 seed: duplicate key"
      ],
      [
        "UTF-16, little end first",
        { "m.yaml": new Uint8Array([0xff, 0xfe, 0x61, 0]) },
        "ManifestInvalid m.yaml:1:1 manifest: is UTF-16; save it as UTF-8"
      ],
      [
        "UTF-16, big end first",
        { "m.yaml": new Uint8Array([0xfe, 0xff, 0, 0x61]) },
        "ManifestInvalid m.yaml:1:1 manifest: is UTF-16; save it as UTF-8"
      ],
      [
        "UTF-16 without a mark",
        { "m.yaml": new Uint8Array([0x61, 0, 0x62, 0]) },
        "ManifestInvalid m.yaml:1:2 manifest: contains a NUL byte"
      ],
      [
        "Latin-1",
        { "m.yaml": new Uint8Array([0x61, 0x0a, 0x62, 0x0a, 0xe9, 0x0a]) },
        "ManifestInvalid m.yaml:3:1 manifest: is not UTF-8"
      ],
      [
        "UTF-8 that is cut",
        { "m.yaml": new Uint8Array([0x61, 0xc3]) },
        "ManifestInvalid m.yaml:1:1 manifest: is not UTF-8"
      ]
    ]
    it.effect.each(cases)("%s", ([, files, message]) =>
      Effect.gen(function* () {
        assert.include(yield* refused(files), message)
      })
    )

    it.effect("50 MB by its size alone, at once", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const directory = yield* fs.makeTempDirectoryScoped()
        const file = `${directory}/m.yaml`
        yield* fs.writeFileString(file, good)
        yield* fs.truncate(file, 50_000_000)
        const start = cpuMillis()
        const error = yield* Effect.flip(load(file))
        assert.isBelow(cpuMillis() - start, 1000)
        assert.strictEqual(error.message, `${file}:1:1 manifest: is 47.7 MiB; at most 1 MiB is read`)
      })
    )

    it.effect("what is not there, and what is no file", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const directory = yield* fs.makeTempDirectoryScoped()
        const missing = yield* Effect.flip(load(`${directory}/no.yaml`))
        assert.strictEqual(missing._tag, "ManifestUnreadable")
        assert.strictEqual(missing.message, `${directory}/no.yaml: no such file`)
        const folder = yield* Effect.flip(load(directory))
        assert.strictEqual(folder.message, `${directory}: is not a regular file`)
      })
    )
  })
})
