/** Successive halving: who goes on, and that what is decided does not depend on who decides or when. */
import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { readJson } from "@gradus/experiment/AtomicFile"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { readAttempts } from "../src/Attempts.ts"
import { decide, HalvingFile, scoreOf } from "../src/Halving.ts"
import { storedResult } from "../src/Result.ts"
import { base, sweep } from "./simulated.ts"

describe("a rung", () => {
  const scores = [scoreOf("a", [0.2, 0.4]), scoreOf("b", [0.5, null]), scoreOf("c", [null]), scoreOf("d", [0.3, 0.3])]
  it("keeps the best share by the mean over seeds; of equal arms the one that stands first", () => {
    assert.deepStrictEqual(
      scores.map(({ mean, seeds }) => [mean === null ? null : Math.round(mean * 1e6) / 1e6, seeds]),
      [
        [0.3, 2],
        [0.5, 1],
        [null, 0],
        [0.3, 2]
      ]
    )
    assert.deepStrictEqual(decide(10, scores, 0.5, "b").kept, ["a", "b"])
    assert.deepStrictEqual(decide(10, scores, 0.25, "b").kept, ["b"])
    assert.deepStrictEqual(decide(10, scores, 0.01, "d"), {
      rung: 10,
      scores,
      kept: ["b", "d"],
      stopped: ["a", "c"]
    })
  })
})

describe("the baseline of a sweep that ends arms early", () => {
  it.live("goes on to the end, also where it is not named and the weakest", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const root = yield* fs.makeTempDirectoryScoped()
      yield* fs.writeFileString(path.join(root, "base.yaml"), base)
      // the simulated policy is worst at the largest of these sets
      yield* fs.writeFileString(
        path.join(root, "sweep.yaml"),
        "version: 1\nname: weak\nbase: base.yaml\nseeds: [1]\nearly_stop: {rule: successive_halving, rungs: [4]}\naxes:\n  - grid: {questions.heldout: [24, 6, 10]}\n"
      )
      const { place } = yield* sweep(path.join(root, "sweep.yaml"), path.join(root, "runs"))
      const [decision] = (yield* readJson(HalvingFile, place.halving)).decisions
      const [first, ...others] = decision?.scores.map(({ mean }) => mean ?? 0) ?? []
      assert.isTrue(others.every((mean) => mean > (first ?? 1)))
      assert.include(decision?.kept ?? [], "questions.heldout=24")
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})

describe("a sweep that ends arms early", () => {
  const text = `
version: 1
name: halved
base: base.yaml
seeds: [1, 2]
early_stop: {rule: successive_halving, rungs: [2, 4]}
axes:
  - grid: {curriculum.sigma: [0.05, 0.1, 0.2, 0.4]}
`
  it.live(
    "runs four arms to the first rung, two to the second, one to the end, the same alone and with three workers",
    () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const path = yield* Path.Path
        const root = yield* fs.makeTempDirectoryScoped()
        yield* fs.writeFileString(path.join(root, "base.yaml"), base)
        yield* fs.writeFileString(path.join(root, "sweep.yaml"), text)
        const run = (name: string, concurrency: number) =>
          sweep(path.join(root, "sweep.yaml"), path.join(root, name), { concurrency })
        const one = yield* run("one", 1)
        assert.deepStrictEqual(one.done, { ran: 2, reused: 0, failed: 0, stopped: 6 })
        const decisions = (of: typeof one) =>
          Effect.map(readJson(HalvingFile, of.place.halving), (file) => file.decisions)
        const decided = yield* decisions(one)
        assert.deepStrictEqual(
          decided.map(({ kept, rung, stopped }) => [rung, kept.length, stopped.length]),
          [
            [2, 2, 2],
            [4, 1, 1]
          ]
        )
        const ended = one.plan.cells.find(({ arm }) => arm === decided[0]?.stopped[0])?.id ?? ""
        assert.deepStrictEqual(
          (yield* readAttempts(one.place.attempts(ended))).map(({ _tag }) => _tag),
          ["started", "paused"]
        )
        const three = yield* run("three", 3)
        assert.deepStrictEqual(yield* decisions(three), decided)
        assert.deepStrictEqual(three.done, one.done)
        // pausing at two rungs leaves no trace in what is learnt
        const last = one.plan.cells.find(({ arm }) => arm === decided[1]?.kept[0])?.id ?? ""
        yield* fs.writeFileString(
          path.join(root, "sweep.yaml"),
          text.replace(/early_stop.*\n/, "").replace("halved", "whole")
        )
        const whole = yield* run("whole", 1)
        const digest = (of: typeof one) =>
          Effect.map(storedResult(of.place.result(last), last), (result) => result?.digest)
        assert.deepStrictEqual(yield* digest(whole), yield* digest(one))
        // a sweep of the same cells finds what the other finished, and goes on with what it paused
        assert.deepStrictEqual((yield* run("one", 1)).done, { ran: 6, reused: 2, failed: 0, stopped: 0 })
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})
