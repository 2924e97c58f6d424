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
import { earlierOwner, Owner, own } from "../src/Owner.ts"
import { RECORD_BYTES, type StoredAnswer } from "../src/profiler/AnswerRecord.ts"
import { openAnswers } from "../src/profiler/AnswerStore.ts"
import { mkdirSync, writeFileSync } from "node:fs"

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

/** A lease of a number, and what others do while it is taken. */
const leaseOf = (number: number, meanwhile: () => void) => ({
  acquire: () =>
    Effect.sync((): RunHold => {
      meanwhile()
      return { record: { format: 1, number, store: "test", owner: "test" }, verify: Effect.void, lost: Effect.never }
    })
})

/** A file system whose first append sleeps before it reaches the disk, where a SIGSTOP would hit hardest. */
const sleepsBeforeAppending = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const reached = yield* Deferred.make<void>()
  const go = yield* Deferred.make<void>()
  const sleeping: FileSystem.FileSystem = {
    ...fs,
    open: (path, options) =>
      Effect.map(fs.open(path, options), (file) =>
        options?.flag?.startsWith("a") === true
          ? new Proxy(file, {
              get: (target, name) => {
                const value: unknown = Reflect.get(target, name, target)
                if (typeof value !== "function") return value
                if (name !== "writeAll") return value.bind(target)
                return (bytes: Uint8Array) =>
                  Effect.andThen(
                    Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(go)),
                    target.writeAll(bytes)
                  )
              }
            })
          : file
      )
  }
  return { fs: sleeping, reached: Deferred.await(reached), wake: Deferred.succeed(go, undefined) }
})

const answer = (question_id: string): StoredAnswer => ({
  question_id,
  k: 0,
  text: "4",
  finish_reason: "stop",
  value: 1,
  answer: "4",
  prompt_tokens: 1,
  completion_tokens: 1,
  server: "none"
})

const event = (step: number) => ({ _tag: "run_finished", step }) as const

describe("the owner of a run directory", () => {
  test("who was replaced cannot write a file, whatever it believes of its lease", (root) =>
    owning(root, (first) =>
      owning(root, (second) =>
        Effect.gen(function* () {
          const fs = yield* FileSystem.FileSystem
          yield* second(writeFile(`${root}/plan.parquet`, "second"))
          const refused = yield* Effect.flip(first(writeFile(`${root}/plan.parquet`, "first")))
          assert.deepInclude(refused, { _tag: "RunLeaseLost", directory: root, number: 1 })
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
          assert.strictEqual((yield* Fiber.join(writing))._tag, "RunLeaseLost")
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

  test("a line that a replaced owner still appends reaches no journal that anybody reads, and is not said to be committed", (root) =>
    Effect.gen(function* () {
      const file = `${root}/events.ndjson`
      const asleep = yield* sleepsBeforeAppending
      yield* owning(root, (first) =>
        Effect.gen(function* () {
          const old = yield* first(openJournal(file)).pipe(Effect.provideService(FileSystem.FileSystem, asleep.fs))
          const late = yield* Effect.forkChild(Effect.flip(first(old.commit(event(2)))))
          yield* asleep.reached
          yield* owning(root, (second) =>
            Effect.gen(function* () {
              const journal = yield* second(openJournal(file))
              yield* asleep.wake
              assert.strictEqual((yield* Fiber.join(late))._tag, "RunLeaseLost")
              yield* second(journal.commit(event(3)))
            })
          )
        })
      )
      assert.deepStrictEqual((yield* readJournal(file)).events, [event(3)])
    }))

  test("answers that a replaced owner still writes reach no file that anybody reads, and are not said to be stored", (root) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const asleep = yield* sleepsBeforeAppending
      const open = openAnswers({ directory: root, placeOf: () => 0, each: () => {} })
      yield* owning(root, (first) =>
        Effect.gen(function* () {
          const old = yield* first(open).pipe(Effect.provideService(FileSystem.FileSystem, asleep.fs))
          const late = yield* Effect.forkChild(old.append(0, [answer("first")]))
          yield* asleep.reached
          yield* owning(root, (second) =>
            Effect.gen(function* () {
              const store = yield* second(open)
              yield* store.append(0, [answer("second")])
              yield* asleep.wake
              assert.strictEqual((yield* Effect.flip(old.broken))._tag, "RunLeaseLost")
              assert.isUndefined(late.pollUnsafe())
              yield* store.append(0, [answer("second")])
            })
          )
        }).pipe(Effect.scoped)
      )
      const lines = (yield* fs.readFileString(`${root}/answers.jsonl`)).trimEnd().split("\n")
      assert.deepStrictEqual(
        lines.map((line) => JSON.parse(line).question_id),
        ["second", "second"]
      )
      assert.strictEqual(Number((yield* fs.stat(`${root}/answers.index`)).size), 2 * RECORD_BYTES)
    }))

  test("who leaves a directory that is not its own any more writes no answers on the way out", (root) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      let held = true
      const lost = new RunLeaseLost({ directory: root, number: 1 })
      const owner = {
        root,
        aside: (name: string) => Effect.succeed(`${root}/.${name}`),
        verify: Effect.suspend(() => (held ? Effect.void : Effect.fail(lost)))
      }
      yield* Effect.gen(function* () {
        const store = yield* openAnswers({ directory: root, placeOf: () => 0, each: () => {} })
        yield* store.append(0, [answer("held")])
        held = false
        // appended in the moment in which the scope ends
        yield* Effect.forkChild(store.append(0, [answer("late")]), { startImmediately: true })
      }).pipe(Effect.scoped, Effect.provideService(Owner, owner))
      assert.strictEqual((yield* fs.readFileString(`${root}/answers.jsonl`)).trimEnd().split("\n").length, 1)
    }))

  test("a number that another store gave as well is refused: the folder is there already", (root) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const other = { format: 1, number: 5, store: "other", owner: "another" } as const
      // what the other store's owner does between our look at the directory and our folder
      const lease = leaseOf(5, () => {
        mkdirSync(`${root}/.owner-5`)
        writeFileSync(`${root}/.owner-5/owner.json`, JSON.stringify(other))
      })
      const refused = yield* Effect.flip(Effect.provideService(own(root), RunLease, lease))
      assert.deepInclude(refused, { _tag: "RunOwned", directory: root })
      assert.deepInclude(JSON.parse(yield* fs.readFileString(`${root}/.owner-5/owner.json`)), { owner: "another" })
    }))

  test("who came with a lower number since the directory was looked at keeps its folder, and the higher one leaves none", (root) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const lease = leaseOf(7, () => mkdirSync(`${root}/.owner-6`))
      const refused = yield* Effect.flip(Effect.provideService(own(root), RunLease, lease))
      assert.deepInclude(refused, { _tag: "RunOwned", directory: root })
      assert.deepStrictEqual(yield* fs.readDirectory(root), [".owner-6"])
    }))

  test("a folder without a record does not hide the record of a lower one", (root) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const record = { format: 1, number: 3, store: "other", owner: "another" } as const
      yield* fs.makeDirectory(`${root}/.owner-3`)
      yield* fs.writeFileString(`${root}/.owner-3/owner.json`, JSON.stringify(record))
      yield* fs.makeDirectory(`${root}/.owner-10`)
      assert.deepStrictEqual(yield* earlierOwner(root), { number: 10, record })
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
