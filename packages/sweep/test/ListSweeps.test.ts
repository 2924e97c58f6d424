/** What a viewer is given of sweeps: states from files alone, summaries wherever they lie, and the comparison as the sweep's file has it. */
import { SweepCard } from "@gradus/domain/SweepIndex"
import { readJson } from "@gradus/experiment/AtomicFile"
import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { keepCard } from "../src/Card.ts"
import { listSweeps, sweepView } from "../src/ListSweeps.ts"
import { sweepPlace } from "../src/Place.ts"
import { planSweep } from "../src/Plan.ts"
import { keepPlan } from "../src/Stored.ts"
import { base, sweep } from "./simulated.ts"

const text = (more = "") => `
version: 1
name: orders
base: base.yaml
seeds: [1, 2]
axes:
  - list:
      gaussian: {curriculum.sigma: 0.2}
      uniform: {curriculum: {batcher: uniform}}
${more}`

const inDirectory = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const root = yield* fs.makeTempDirectoryScoped()
  const file = path.join(root, "sweep.yaml")
  yield* fs.writeFileString(path.join(root, "base.yaml"), base)
  return { fs, path, root, file, runs: path.join(root, "runs") }
})

describe("sweeps as a viewer is given them", () => {
  it.live("have one whole card, however many workers begin at the same time, and nothing else is left", () =>
    Effect.gen(function* () {
      const { file, fs, root, runs } = yield* inDirectory
      yield* fs.writeFileString(file, text("baseline: uniform\n"))
      const planned = yield* planSweep(file)
      const place = yield* sweepPlace(runs, "orders", root)
      const each = Array.from({ length: 30 }, () => Effect.andThen(Effect.yieldNow, keepCard(planned, place)))
      yield* Effect.all(each, { concurrency: "unbounded", discard: true })
      const card = yield* readJson(SweepCard, place.card)
      assert.strictEqual(card.baseline, "uniform")
      assert.deepStrictEqual(
        (yield* fs.readDirectory(place.root)).filter((name) => name.startsWith(".")),
        []
      )
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live(
    "wait when they are planned, with baseline, metric and batchers as their file says, and follow its changes",
    () =>
      Effect.gen(function* () {
        const { file, fs, path, root, runs } = yield* inDirectory
        const keep = Effect.fnUntraced(function* (written: string) {
          yield* fs.writeFileString(file, written)
          const planned = yield* planSweep(file)
          yield* keepPlan(planned, yield* sweepPlace(runs, planned.spec.name, path.join(root, "elsewhere")))
          return Option.getOrThrow(yield* sweepView(runs, "orders"))
        })
        const first = yield* keep(text())
        assert.deepInclude(first, {
          baseline: "gaussian",
          metric: { set: "heldout", target: null },
          results: "../../../elsewhere",
          batchers: { gaussian: "gaussian", uniform: "uniform" },
          description: null,
          simulated: false
        })
        assert.deepStrictEqual(
          first.cells.map(({ arm, message, result, run, seed, state }) => [arm, seed, state, run, message, result]),
          [
            ["gaussian", 1, "waiting", null, null, null],
            ["uniform", 1, "waiting", null, null, null],
            ["gaussian", 2, "waiting", null, null, null],
            ["uniform", 2, "waiting", null, null, null]
          ]
        )
        const changed = yield* keep(text("baseline: uniform\nmetric: {set: hard, target: 0.5}\ndescription: why\n"))
        assert.strictEqual(changed.digest, first.digest)
        assert.deepInclude(changed, { baseline: "uniform", metric: { set: "hard", target: 0.5 }, description: "why" })
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live(
    "have the summaries of finished cells, also without their runs; what cannot be read is left out of the list",
    () =>
      Effect.gen(function* () {
        const { file, fs, path, runs } = yield* inDirectory
        yield* fs.writeFileString(file, text())
        const { place, plan } = yield* sweep(file, runs)
        const cell = plan.cells[0]?.id ?? ""
        yield* fs.remove(place.cell(cell), { recursive: true })
        yield* fs.makeDirectory(path.join(runs, "sweeps", "torn"), { recursive: true })
        yield* fs.writeFileString(path.join(runs, "sweeps", "torn", "plan.json"), '{"format":1,')
        const { sweeps } = yield* listSweeps(runs)
        assert.deepStrictEqual(sweeps, [
          { sweep: "orders", description: null, arms: 2, seeds: 2, cells: { finished: 4 }, planned: 4 }
        ])
        const view = Option.getOrThrow(yield* sweepView(runs, "orders"))
        assert.isTrue(view.simulated)
        assert.deepStrictEqual(
          view.cells.map(({ result, run }) => [run === null, result?.steps]),
          [
            [true, 6],
            [false, 6],
            [false, 6],
            [false, 6]
          ]
        )
        assert.isTrue(Option.isNone(yield* sweepView(runs, "torn")))
        assert.isTrue(Option.isNone(yield* sweepView(runs, "../sweeps/orders")))
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})
