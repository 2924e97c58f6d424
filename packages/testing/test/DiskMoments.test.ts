import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as DiskFault from "../src/DiskFault.ts"
import * as DiskMoments from "../src/DiskMoments.ts"
import * as KillPoint from "../src/KillPoint.ts"

/** Appends a line to a journal and writes a file aside and moves it, on a disk that is watched. */
const work = (directory: string, observe: DiskMoments.Observer) =>
  Effect.gen(function* () {
    const files = DiskMoments.watch(yield* FileSystem.FileSystem, observe)
    const line = (event: object) =>
      Effect.scoped(
        Effect.gen(function* () {
          const journal = yield* files.open(`${directory}/events.ndjson`, { flag: "a" })
          yield* journal.writeAll(new TextEncoder().encode(`${JSON.stringify(event)}\n`))
          yield* journal.sync
        })
      )
    yield* line({ _tag: "stage_finished", stage: "plan" })
    yield* line({ _tag: "step_finished", step: 1 })
    yield* Effect.scoped(
      Effect.gen(function* () {
        const aside = yield* files.open(`${directory}/.update_0.arrow.tmp`, { flag: "w" })
        yield* aside.writeAll(new Uint8Array(10))
        yield* aside.sync
      })
    )
    yield* files.rename(`${directory}/.update_0.arrow.tmp`, `${directory}/update_0.arrow`)
    yield* files.writeFile(`${directory}/timings.ndjson`, new Uint8Array(4), { flag: "a" })
  })

const names = [
  ...["before", "torn", "written", "synced"].map((when) => `stage_finished.plan:${when}`),
  ...["before", "torn", "written", "synced"].map((when) => `step_finished:${when}`),
  ...["before", "torn", "written", "synced", "moving", "moved"].map((when) => `update.arrow:${when}`),
  ...["before", "torn", "written"].map((when) => `timings.ndjson:${when}`)
]

const inDirectory = <A, E, R>(use: (directory: string) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(
    Effect.flatMap(FileSystem.FileSystem, (files) => files.makeTempDirectoryScoped()),
    use
  ).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

describe("the moments of a disk", () => {
  it.effect("come in order, named for the transition or the kind of file, and the bytes are as without them", () =>
    inDirectory((directory) =>
      Effect.gen(function* () {
        const seen: Array<string> = []
        yield* work(directory, (moment) => Effect.sync(() => void seen.push(DiskMoments.nameOf(moment))))
        assert.deepStrictEqual(seen, names)
        const files = yield* FileSystem.FileSystem
        assert.deepStrictEqual(yield* files.readFile(`${directory}/update_0.arrow`), new Uint8Array(10))
        assert.strictEqual((yield* files.readFile(`${directory}/timings.ndjson`)).length, 4)
        const journal = yield* files.readFileString(`${directory}/events.ndjson`)
        assert.lengthOf(journal.trimEnd().split("\n"), 2)
      })
    )
  )

  it.effect("can fail: the write fails with the disk's words, and what came before it is on disk", () =>
    inDirectory((directory) =>
      Effect.gen(function* () {
        const disk = DiskFault.observer(names.indexOf("update.arrow:torn") + 1)
        const error = yield* Effect.flip(work(directory, disk))
        assert.include(error.message, "ENOSPC")
        assert.strictEqual(disk.failed()?.name, "update.arrow")
        const files = yield* FileSystem.FileSystem
        assert.strictEqual((yield* files.readFile(`${directory}/.update_0.arrow.tmp`)).length, 5)
        assert.isFalse(yield* files.exists(`${directory}/update_0.arrow`))
      })
    )
  )

  it("are asked for by name and time", () => {
    assert.deepStrictEqual(KillPoint.parse("step_generated:torn#2"), { moment: "step_generated:torn", time: 2 })
    assert.deepStrictEqual(KillPoint.parse("stage_finished.plan:synced#1")?.moment, "stage_finished.plan:synced")
    for (const text of ["", "step_generated", "step_generated:torn#0", "step_generated:torn#x", "a b#1"])
      assert.isUndefined(KillPoint.parse(text))
  })

  it("are named for the kind of a file, so that each can be asked for, whatever run it belongs to", () => {
    const kinds = {
      "/runs/torture--9520c9cf191b/.owner-2/.rollouts.parquet.tmp": "rollouts.parquet",
      "/runs/.artifacts/profile/.ab12.profile.parquet.torture--9520c9cf191b.tmp": "shared.ab.profile.parquet",
      "/runs/.artifacts/warmup/ab/.warmup.json.my-run_2--9520c9cf191b.tmp": "shared.warmup.json",
      "/runs/.artifacts/warmup/ab/warmup.json": "warmup.json",
      "/runs/torture--9520c9cf191b/steps/000003/update_1.arrow": "update.arrow",
      "/runs/torture--9520c9cf191b/eval/hard/000003.parquet": "eval.parquet"
    }
    for (const [file, kind] of Object.entries(kinds)) {
      assert.strictEqual(DiskMoments.kindOf(file), kind)
      assert.strictEqual(KillPoint.parse(`${kind}:moved#1`)?.moment, `${kind}:moved`)
    }
  })
})
