import { RunLease, type RunHold, RunLeaseLost } from "@gradus/domain/RunLease"
import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { writeFile } from "../src/AtomicFile.ts"
import { openJournal, readJournal } from "../src/Journal.ts"
import { Owner, own } from "../src/Owner.ts"

/** A lease that gives everybody the next number: what a store does whose leases run out at once. */
const generous = (numbers: { next: number }) => ({
  acquire: (_: string, earlier: { readonly number: number }) =>
    Effect.sync((): RunHold => {
      numbers.next = Math.max(numbers.next, earlier.number) + 1
      const record = { format: 1, number: numbers.next, store: "test", owner: "test" } as const
      return { record, verify: Effect.void, lost: Effect.never }
    })
})

const owning = <A, E, R>(
  root: string,
  body: (as: <B, E2, R2>(effect: Effect.Effect<B, E2, R2>) => Effect.Effect<B, E2, R2>) => Effect.Effect<A, E, R>
) => Effect.flatMap(own(root), ({ owner }) => body((effect) => Effect.provideService(effect, Owner, owner)))

const test = (what: string, body: (root: string) => Effect.Effect<void, unknown, any>) =>
  it.live(what, () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      yield* body(yield* fs.makeTempDirectoryScoped({ prefix: "gradus-owner-" }))
    }).pipe(Effect.provideService(RunLease, generous({ next: 0 })), Effect.provide(NodeServices.layer))
  )

const event = (step: number) => ({ _tag: "run_finished", step }) as const

describe("the owner of a run directory", () => {
  test("who was replaced cannot write a file, whatever it believes of its lease", (root) =>
    owning(root, (first) =>
      owning(root, (second) =>
        Effect.gen(function* () {
          const fs = yield* FileSystem.FileSystem
          yield* second(writeFile(`${root}/plan.parquet`, "second"))
          const refused = yield* Effect.flip(first(writeFile(`${root}/plan.parquet`, "first")))
          assert.strictEqual(refused._tag, "RunFileFailed")
          assert.strictEqual(yield* fs.readFileString(`${root}/plan.parquet`), "second")
        })
      )
    ))

  test("who was replaced in the middle of a write finds no file to rename", (root) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const reached = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      // sleeps between its last look at the lease and its rename, where a SIGSTOP would hit hardest
      const sleeping: FileSystem.FileSystem = {
        ...fs,
        rename: (from, to) =>
          Effect.andThen(Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(go)), fs.rename(from, to))
      }
      yield* owning(root, (first) =>
        Effect.gen(function* () {
          const writing = yield* Effect.forkChild(
            Effect.flip(first(writeFile(`${root}/a`, "first"))).pipe(
              Effect.provideService(FileSystem.FileSystem, sleeping)
            )
          )
          yield* Deferred.await(reached)
          yield* owning(root, (second) => second(writeFile(`${root}/a`, "second")))
          yield* Deferred.succeed(go, undefined)
          assert.strictEqual((yield* Fiber.join(writing))._tag, "RunFileFailed")
        })
      )
      assert.strictEqual(yield* fs.readFileString(`${root}/a`), "second")
    }))

  test("a file that runs share is written whole by each of two that write it at the same time", (root) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const reached = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const waiting: FileSystem.FileSystem = {
        ...fs,
        rename: (from, to) =>
          Effect.andThen(Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(go)), fs.rename(from, to))
      }
      const shared = `${root}/.artifacts/shared.json`
      yield* owning(`${root}/a`, (first) =>
        Effect.gen(function* () {
          const writing = yield* Effect.forkChild(
            first(writeFile(shared, "first")).pipe(Effect.provideService(FileSystem.FileSystem, waiting))
          )
          yield* Deferred.await(reached)
          yield* owning(`${root}/b`, (second) => second(writeFile(shared, "second")))
          assert.strictEqual(yield* fs.readFileString(shared), "second")
          yield* Deferred.succeed(go, undefined)
          yield* Fiber.join(writing)
        })
      )
      assert.strictEqual(yield* fs.readFileString(shared), "first")
      assert.deepStrictEqual(yield* fs.readDirectory(`${root}/.artifacts`), ["shared.json"])
    }))

  test("a line that a replaced owner still appends reaches no journal that anybody reads", (root) =>
    Effect.gen(function* () {
      const file = `${root}/events.ndjson`
      yield* owning(root, (first) =>
        Effect.gen(function* () {
          const old = yield* first(openJournal(file))
          yield* first(old.commit(event(1)))
          yield* owning(root, (second) =>
            Effect.gen(function* () {
              const journal = yield* second(openJournal(file))
              yield* first(old.commit(event(2)))
              yield* second(journal.commit(event(3)))
            })
          )
        })
      )
      assert.deepStrictEqual((yield* readJournal(file)).events, [event(1), event(3)])
    }))

  test("who takes a lease and sleeps before it shut anybody out finds the later owner and stops", (root) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      yield* fs.makeDirectory(`${root}/.owner-7`)
      const lease = {
        acquire: () =>
          Effect.succeed({
            record: { format: 1, number: 5, store: "test", owner: "test" },
            verify: Effect.void,
            lost: Effect.never
          } satisfies RunHold)
      }
      const refused = yield* Effect.flip(Effect.provideService(own(root), RunLease, lease))
      assert.deepInclude(refused, { _tag: "RunLeaseLost", number: 5 })
    }))

  test("a journal says that a line was committed only if the lease was still held when it was written", (root) =>
    Effect.gen(function* () {
      let asked = 0
      const lost = new RunLeaseLost({ directory: root, number: 1 })
      const lease = {
        acquire: () =>
          Effect.succeed({
            record: { format: 1, number: 1, store: "test", owner: "test" },
            // held when the file is opened and before the line, gone after it
            verify: Effect.suspend(() => (++asked > 2 ? Effect.fail(lost) : Effect.void)),
            lost: Effect.never
          } satisfies RunHold)
      }
      yield* Effect.gen(function* () {
        const { owner } = yield* own(root)
        yield* Effect.gen(function* () {
          const journal = yield* openJournal(`${root}/events.ndjson`)
          assert.strictEqual((yield* Effect.flip(journal.commit(event(1))))._tag, "RunLeaseLost")
          assert.deepStrictEqual(journal.events(), [])
        }).pipe(Effect.provideService(Owner, owner))
      }).pipe(Effect.provideService(RunLease, lease))
    }))

  test("an owner that leaves in order leaves no record, and one that is killed leaves who it was", (root) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const record = path.join(root, ".owner-1/owner.json")
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* own(root)
          assert.deepInclude(JSON.parse(yield* fs.readFileString(record)), { number: 1, store: "test" })
        })
      )
      assert.isFalse(yield* fs.exists(record))
      // the number stays known
      yield* own(root)
      assert.deepStrictEqual(yield* fs.readDirectory(root), [".owner-2"])
    }))
})
