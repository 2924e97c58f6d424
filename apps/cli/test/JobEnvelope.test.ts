/** A worker does what a job says only where the job is still what was put into it. */
import type { RunJob } from "@gradus/domain/Job"
import { resolve } from "@gradus/manifest/Resolve"
import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { inputOf, jobOf } from "../src/JobEnvelope.ts"
import { runName } from "../src/RunPlace.ts"

const file = fileURLToPath(new URL("../../../experiments/quickstart/manifest.yaml", import.meta.url))
const origin = {
  commit: null,
  dirty: null,
  locks: {},
  versions: {},
  hardware: { cpus: 1, cpu_model: "none", memory_bytes: 1, platform: "none" }
}

const made = Effect.gen(function* () {
  const text = readFileSync(file, "utf8")
  const resolved = yield* Effect.fromResult(resolve([{ file, text }], ["train.steps=7"]))
  const run = runName(resolved.manifest.name, resolved.digest)
  return yield* jobOf({ resolved, written: text, base: "/", root: `/runs/${run}`, origin }, run)
})

type Job = typeof RunJob.Type
type Document = Readonly<Record<string, any>>

const edited = (job: Job, edit: (manifest: Document) => Document): Job => ({
  ...job,
  resolved: { ...job.resolved, manifest: edit(job.resolved.manifest as Document) }
})

const refusal = (job: Job) => Effect.flip(inputOf(job, "/runs", origin))

describe("a job", () => {
  it.effect("gives back the run that was put into it", () =>
    Effect.gen(function* () {
      const job = yield* made
      const input = yield* inputOf(job, "/runs", origin)
      assert.strictEqual(input.root, `/runs/${job.run}`)
      assert.strictEqual(input.resolved.manifest.train.steps, 7)
      assert.strictEqual(input.resolved.digest, job.resolved.digest)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("is refused with the field named where its manifest was changed under its digest", () =>
    Effect.gen(function* () {
      const job = yield* made
      const seed = yield* refusal(edited(job, (manifest) => ({ ...manifest, seed: 99 })))
      assert.strictEqual(seed._tag, "JobUnreadable")
      assert.include(seed.message, "seed: it is not what")
      // a value that an override set, which the text of the manifest does not have
      const steps = (manifest: Document) => ({ ...manifest, train: { ...manifest["train"], steps: 8 } })
      assert.include((yield* refusal(edited(job, steps))).message, "train.steps: it is not what")
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("is refused where its name is that of another run's directory", () =>
    Effect.gen(function* () {
      const job = yield* made
      const other = `${job.run.slice(0, -1)}${job.run.endsWith("0") ? "1" : "0"}`
      const refused = yield* refusal({ ...job, run: other })
      assert.strictEqual(refused._tag, "JobUnreadable")
      assert.include(refused.message, "run: its name")
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
