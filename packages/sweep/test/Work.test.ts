/** Cells: run once, found again, shared, paired, failed, cancelled; whatever happens, nothing is lost and nothing done twice. */
import { assert, describe, it } from "@effect/vitest"
import { Lineage } from "@gradus/domain/Lineage"
import { readJson } from "@gradus/experiment/AtomicFile"
import { own } from "@gradus/experiment/Owner"
import * as EmbeddedRunLease from "@gradus/store/EmbeddedRunLease"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Scope from "effect/Scope"
import { readAttempts } from "../src/Attempts.ts"
import { sweepPlace } from "../src/Place.ts"
import { planSweep } from "../src/Plan.ts"
import { storedResult } from "../src/Result.ts"
import { status } from "../src/Status.ts"
import { extendPlan, keepPlan } from "../src/Stored.ts"
import { base, sweep } from "./simulated.ts"

const two = `
version: 1
name: two
base: base.yaml
seeds: [1, 2]
axes:
  - list:
      gaussian: {curriculum.sigma: 0.2}
      uniform: {curriculum: {batcher: uniform}}
`

/** A directory with the base, the sweep and a place for runs. */
const inDirectory = <A, E, R>(
  text: string,
  use: (at: {
    readonly file: string
    readonly runs: string
    readonly write: (text: string) => Effect.Effect<void>
  }) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const root = yield* fs.makeTempDirectoryScoped()
    yield* fs.writeFileString(path.join(root, "base.yaml"), base)
    const file = path.join(root, "sweep.yaml")
    const write = (own: string) => Effect.orDie(fs.writeFileString(file, own))
    yield* write(text)
    return yield* use({ file, runs: path.join(root, "runs"), write })
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

const digests = Effect.fnUntraced(function* ({ place, plan }: Effect.Success<ReturnType<typeof sweep>>) {
  return yield* Effect.forEach(plan.cells, ({ id }) =>
    Effect.map(storedResult(place.result(id), id), (result) => result?.digest)
  )
})

describe("a sweep", () => {
  it.live("runs every cell once, and nothing the second time", () =>
    inDirectory(two, ({ file, runs }) =>
      Effect.gen(function* () {
        const first = yield* sweep(file, runs)
        assert.deepStrictEqual(first.done, { ran: 4, reused: 0, failed: 0, stopped: 0 })
        assert.deepStrictEqual(
          first.plan.cells.map(({ arm, seed }) => [arm, seed]),
          [
            ["gaussian", 1],
            ["uniform", 1],
            ["gaussian", 2],
            ["uniform", 2]
          ]
        )
        // one profile a seed; no warm-up in this manifest
        assert.deepStrictEqual(
          first.plan.shared.map(({ cells, stage }) => [stage, cells]),
          [
            ["profile", 2],
            ["profile", 2]
          ]
        )
        let asked = 0
        const second = yield* sweep(file, runs, { hook: () => Effect.sync(() => void asked++) })
        assert.deepStrictEqual(second.done, { ran: 0, reused: 4, failed: 0, stopped: 0 })
        assert.strictEqual(asked, 0)
        assert.deepStrictEqual(yield* digests(second), yield* digests(first))
        // a summary says where its run was made; one from before it did is read all the same, and its cell not run again
        const fs = yield* FileSystem.FileSystem
        const [cell] = first.plan.cells
        if (cell === undefined) throw new Error("no cell")
        const summary = first.place.result(cell.id)
        const { origin, ...older } = JSON.parse(yield* fs.readFileString(summary))
        const { torch } = yield* readJson(Lineage, `${first.place.cell(cell.id)}/lineage.json`).pipe(
          Effect.map(({ trainer }) => trainer)
        )
        assert.deepStrictEqual(origin, { commit: null, torch, device: "simulated", processor: "none" })
        yield* fs.writeFileString(summary, JSON.stringify(older))
        assert.strictEqual((yield* sweep(file, runs)).done.reused, 4)
      })
    )
  )

  it.live(
    "waits for a cell whose run another process has, as that of a worker that died until its lease runs out",
    () =>
      inDirectory(two, ({ file, runs }) =>
        Effect.gen(function* () {
          const planned = yield* planSweep(file)
          const place = yield* sweepPlace(runs, "two", undefined)
          const [cell] = planned.plan.cells
          if (cell === undefined) throw new Error("no cell")
          const owner = yield* Scope.make()
          yield* own(place.cell(cell.id)).pipe(Scope.provide(owner), Effect.provide(EmbeddedRunLease.layer))
          const working = yield* Effect.forkChild(sweep(file, runs), { startImmediately: true })
          const attempts = readAttempts(place.attempts(cell.id))
          yield* Effect.delay(attempts, 20).pipe(
            Effect.repeat({ until: (events) => events.some(({ _tag }) => _tag === "cancelled") })
          )
          yield* Scope.close(owner, Exit.void)
          const { done } = yield* Fiber.join(working)
          assert.deepStrictEqual(done, { ran: 4, reused: 0, failed: 0, stopped: 0 })
          assert.notInclude(
            (yield* attempts).map(({ _tag }) => _tag),
            "failed"
          )
        })
      )
  )

  it.live("is begun by any number of workers together: each writes the plan, whole", () =>
    inDirectory(two, ({ file, runs }) =>
      Effect.gen(function* () {
        const planned = yield* planSweep(file)
        const place = yield* sweepPlace(runs, "two", undefined)
        const kept = yield* Effect.forEach(Array.from({ length: 20 }), () => keepPlan(planned, place), {
          concurrency: "unbounded"
        })
        for (const { plan } of kept) assert.strictEqual(plan.digest, planned.plan.digest)
        const fs = yield* FileSystem.FileSystem
        assert.isEmpty((yield* fs.readDirectory(place.root)).filter((name) => name.startsWith(".")))
      })
    )
  )

  it.live("makes a shared profile once, whatever the number of workers, with the same results", () =>
    inDirectory(two, ({ file, runs }) =>
      Effect.gen(function* () {
        const counted = () => {
          const asked: Record<string, number> = {}
          const hook = ({ seed }: { readonly seed: number }, stage: string) =>
            Effect.sync(() => void (stage === "profile" && (asked[seed] = (asked[seed] ?? 0) + 1)))
          return { asked, hook }
        }
        const [parallel, alone] = [counted(), counted()]
        const many = yield* sweep(file, `${runs}-many`, { concurrency: 4, hook: parallel.hook })
        assert.strictEqual(many.done.ran, 4)
        const one = yield* sweep(file, runs, { hook: alone.hook })
        assert.deepStrictEqual(yield* digests(many), yield* digests(one))
        assert.deepStrictEqual(Object.keys(parallel.asked), ["1", "2"])
        assert.deepStrictEqual(parallel.asked, alone.asked)
      })
    )
  )

  it.live("adds seeds and values without touching what is finished", () =>
    inDirectory(two, ({ file, runs, write }) =>
      Effect.gen(function* () {
        const { plan } = yield* sweep(file, runs)
        yield* write(
          two
            .replace("[1, 2]", "[1, 2, 3]")
            .replace("uniform}}", "uniform}}\n      sorted: {curriculum: {batcher: sorted}}")
        )
        const changed = yield* Effect.flip(sweep(file, runs))
        assert.include(String(changed), "adds 5 cells to the plan of two and takes 0 away")
        const extended = yield* extendPlan(yield* planSweep(file), yield* sweepPlace(runs, "two", undefined))
        assert.strictEqual(extended.added, 5)
        assert.strictEqual(extended.plan.extends, plan.digest)
        assert.deepStrictEqual((yield* sweep(file, runs)).done, { ran: 5, reused: 4, failed: 0, stopped: 0 })
      })
    )
  )

  it.live("keeps attempts, tells a failed cell from a cancelled one, and tries again what was cancelled", () =>
    inDirectory(two, ({ file, runs }) =>
      Effect.gen(function* () {
        const reached = yield* Deferred.make<void>()
        const running = yield* Effect.forkChild(
          sweep(file, runs, {
            hook: ({ curriculum, seed }, stage) => {
              if (stage !== "train") return Effect.void
              if (curriculum.batcher === "uniform" && seed === 1) return Effect.die(new Error("out of memory"))
              return seed === 2 ? Effect.andThen(Deferred.succeed(reached, undefined), Effect.never) : Effect.void
            }
          })
        )
        yield* Deferred.await(reached)
        const states = Effect.gen(function* () {
          const planned = yield* planSweep(file)
          const read = yield* status(yield* sweepPlace(runs, "two", undefined), planned.plan)
          return read.map(({ state }) => state)
        }).pipe(Effect.provide(EmbeddedRunLease.layer))
        assert.deepStrictEqual(yield* states, ["finished", "failed", "running", "waiting"])
        yield* Fiber.interrupt(running)
        assert.deepStrictEqual(yield* states, ["finished", "failed", "cancelled", "waiting"])
        const { done, place, plan } = yield* sweep(file, runs)
        assert.deepStrictEqual(done, { ran: 2, reused: 1, failed: 1, stopped: 0 })
        const tags = (index: number) =>
          Effect.map(readAttempts(place.attempts(plan.cells[index]?.id ?? "")), (events) =>
            events.map(({ _tag, attempt }) => `${attempt} ${_tag}`)
          )
        assert.deepStrictEqual(yield* tags(0), ["1 started", "1 finished"])
        assert.deepStrictEqual(yield* tags(1), ["1 started", "1 failed"])
        assert.deepStrictEqual(yield* tags(2), ["1 started", "1 cancelled", "2 started", "2 finished"])
        assert.strictEqual((yield* sweep(file, runs, { retryFailed: true })).done.failed, 0)
        assert.deepStrictEqual(yield* tags(1), ["1 started", "1 failed", "2 started", "2 finished"])
      })
    )
  )

  it.live("stops where every cell fails, and leaves the rest waiting", () =>
    inDirectory(two, ({ file, runs }) =>
      Effect.gen(function* () {
        const hook = () => Effect.die(new Error("no space left"))
        const stopped = yield* Effect.flip(sweep(file, runs, { hook }))
        assert.include(String(stopped), "3 cells in a row failed")
        assert.include(String(stopped), "no space left")
        assert.deepStrictEqual((yield* sweep(file, runs)).done, { ran: 1, reused: 0, failed: 3, stopped: 0 })
      })
    )
  )

  it.live(
    "is done by machines that see nothing of each other, each with its share and a place of its own for its trainer",
    () =>
      inDirectory(two, ({ file, runs }) =>
        Effect.gen(function* () {
          const fs = yield* FileSystem.FileSystem
          const shares = yield* Effect.forEach([0, 1], (index) => sweep(file, runs, { shard: { index, of: 2 } }))
          assert.deepStrictEqual(
            shares.map(({ done }) => done.ran),
            [2, 2]
          )
          assert.sameMembers(yield* fs.readDirectory(`${runs}/.trainers`), ["0-of-2-0", "1-of-2-0"])
          assert.deepStrictEqual((yield* sweep(file, runs)).done, { ran: 0, reused: 4, failed: 0, stopped: 0 })
        })
      )
  )
})
