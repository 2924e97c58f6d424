/** Verification: finds nothing in what is untouched, and each thing that was changed; runs a cell again from nothing. */
import { assert, describe, it } from "@effect/vitest"
import * as EmbeddedRunLease from "@gradus/store/EmbeddedRunLease"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { sweepRecord, writeReport } from "../src/Report.ts"
import { status } from "../src/Status.ts"
import { verify } from "../src/Verify.ts"
import { base, engines, origin, sweep } from "./simulated.ts"

const text = `
version: 1
name: checked
base: base.yaml
seeds: [1, 2]
axes:
  - list:
      gaussian: {curriculum.sigma: 0.2}
      balanced: {curriculum: {batcher: balanced}}
      dapo: {curriculum: {batcher: uniform}, gate: {low: 0, high: 1}}
`

const finished = Effect.fnUntraced(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const root = yield* fs.makeTempDirectoryScoped()
  yield* fs.writeFileString(path.join(root, "base.yaml"), base)
  yield* fs.writeFileString(path.join(root, "sweep.yaml"), text)
  const swept = yield* sweep(path.join(root, "sweep.yaml"), path.join(root, "runs"))
  const check = (rerun: boolean) =>
    verify({ ...swept, origin, engines: engines(), rerun }).pipe(Effect.provide(EmbeddedRunLease.layer))
  return { ...swept, fs, path, check }
})

describe("a finished sweep", () => {
  it.live(
    "is verified by hashing all of it and by running a cell again, and its report is drawn from summaries alone",
    () =>
      Effect.gen(function* () {
        const { check, fs, path, place, plan, planned } = yield* finished()
        const verified = yield* check(true)
        assert.deepStrictEqual(verified.changed, [])
        assert.strictEqual(verified.checked, 6)
        assert.isTrue(plan.cells.some(({ id }) => id === verified.rerun?.cell))
        assert.include(verified.rerun?.stages ?? [], "train")

        const cell = plan.cells[0]?.id ?? ""
        const metrics = path.join(place.cell(cell), "metrics.ndjson")
        yield* fs.writeFileString(metrics, (yield* fs.readFileString(metrics)).replace('"loss":', '"loss" :'))
        const update = path.join(place.cell(plan.cells[1]?.id ?? ""), "steps", "000001", "update_0.arrow")
        yield* fs.writeFile(update, (yield* fs.readFile(update)).slice(1))
        const { changed } = yield* check(false)
        assert.deepStrictEqual(
          changed.map((one) => [one.cell, one.what]),
          [
            [cell, "metrics"],
            [plan.cells[1]?.id, "update 1"]
          ]
        )

        const states = yield* status(place, plan).pipe(Effect.provide(EmbeddedRunLease.layer))
        assert.deepStrictEqual([...new Set(states.map(({ state }) => state))], ["finished"])
        for (const { id } of plan.cells) yield* fs.remove(place.cell(id), { recursive: true })
        const comparison = yield* writeReport(yield* sweepRecord(planned.spec, plan, place), place)
        assert.deepStrictEqual(
          comparison.differences.map(({ arm, equalUpdates }) => [arm, equalUpdates.pairs]),
          [
            ["balanced", 2],
            ["dapo", 2]
          ]
        )
        // refilling costs tokens: what a gate turned away was generated too
        const [plain, , refilled] = comparison.arms
        assert.isAbove(refilled?.tokens ?? 0, plain?.tokens ?? Infinity)
        assert.include(yield* fs.readFileString(place.report), "<h1>checked</h1>")
        assert.strictEqual((yield* check(false)).summaries, 6)
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})
