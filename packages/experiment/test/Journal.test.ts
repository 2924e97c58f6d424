import type { JournalEvent } from "@gradus/domain/Journal"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { openJournal, readJournal } from "../src/Journal.ts"
import { metricsRows, metricsText, openRecords } from "../src/Records.ts"
import { layout } from "../src/RunDirectory.ts"

const started: JournalEvent = { _tag: "run_started", format: 1, attempt: 1, manifest_digest: "d" }
const step = (n: number): ReadonlyArray<JournalEvent> => [
  {
    _tag: "step_generated",
    step: n,
    updates: [
      { update: 2 * n - 1, digest: "a" },
      { update: 2 * n, digest: "b" }
    ],
    metrics: { reward: n / 8 }
  },
  {
    _tag: "update_applied",
    step: n,
    update: 2 * n - 1,
    digest: "a",
    version: 2 * n - 1,
    applied: true,
    metrics: { loss: 1, entropy: null }
  },
  {
    _tag: "update_applied",
    step: n,
    update: 2 * n,
    digest: "b",
    version: 2 * n,
    applied: true,
    metrics: { loss: 3, entropy: 2 }
  },
  { _tag: "step_finished", step: n, version: 2 * n }
]

const inDirectory = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  return yield* layout(yield* fs.makeTempDirectoryScoped())
})

layer(NodeServices.layer)("a journal", (it) => {
  it.effect("gives back what was committed, in order, to whoever opens it next", () =>
    Effect.gen(function* () {
      const { journal: file } = yield* inDirectory
      const events = [started, ...step(1)]
      yield* Effect.scoped(
        Effect.gen(function* () {
          const journal = yield* openJournal(file)
          for (const event of events) yield* journal.commit(event)
        })
      )
      assert.deepStrictEqual((yield* Effect.scoped(openJournal(file))).events(), events)
    })
  )

  it.effect("refuses a line in which one bit has changed, whichever it is, and names it", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const { journal: file } = yield* inDirectory
      yield* Effect.scoped(
        Effect.gen(function* () {
          const journal = yield* openJournal(file)
          for (const event of [started, ...step(1)]) yield* journal.commit(event)
        })
      )
      const whole = yield* fs.readFile(file)
      const first = whole.indexOf(10) + 1
      const end = whole.indexOf(10, first)
      const stored = (yield* readJournal(file)).events
      for (let at = first; at < end; at++)
        for (let bit = 0; bit < 8; bit++) {
          const rotten = whole.slice()
          rotten[at] = (rotten[at] ?? 0) ^ (1 << bit)
          // a line break is another number of lines, and what is not UTF-8 is no bit of ours alone
          if (rotten[at] === 10) continue
          yield* fs.writeFile(file, rotten)
          const read = yield* Effect.result(readJournal(file))
          if (read._tag === "Failure") {
            assert.strictEqual(read.failure._tag, "JournalInvalid")
            assert.include(read.failure.message, `${file}:2:`)
          }
          // only the name of the check itself may be hit without being noticed, and then the transition is as it was
          else assert.deepStrictEqual(read.success.events, stored)
        }
    })
  )

  it.effect("cuts a torn last line off: that transition did not happen, and the next one is whole", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const { journal: file } = yield* inDirectory
      yield* Effect.scoped(Effect.flatMap(openJournal(file), (journal) => journal.commit(started)))
      yield* fs.writeFileString(file, '{"_tag":"step_fini', { flag: "a" })
      yield* Effect.scoped(
        Effect.gen(function* () {
          const journal = yield* openJournal(file)
          assert.deepStrictEqual(journal.events(), [started])
          yield* journal.commit({ _tag: "run_finished", step: 0 })
        })
      )
      assert.deepStrictEqual((yield* readJournal(file)).events, [started, { _tag: "run_finished", step: 0 }])
    })
  )

  it.effect("names the line that is not an event", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const { journal: file } = yield* inDirectory
      yield* fs.writeFileString(file, `${JSON.stringify(started)}\n{"_tag":"teleported"}\n`)
      const failed = yield* Effect.flip(readJournal(file))
      assert.include(failed.message, `${file}:2:`)
    })
  )
})

describe("metrics.ndjson", () => {
  it("has a row for every finished step: its completions' metrics and the mean of its updates'", () => {
    assert.deepStrictEqual(metricsRows([started, ...step(1), ...step(2).slice(0, 3)]), [
      { format: 1, stage: "train", step: 1, metrics: { loss: 2, entropy: null, reward: 0.125 } }
    ])
  })

  it("is canonical: the order in which metrics were found does not show", () => {
    const row = (metrics: Record<string, number>) => metricsText([{ format: 1, stage: "train", step: 1, metrics }])
    assert.strictEqual(row({ b: 1, a: 2 }), row({ a: 2, b: 1 }))
  })

  layer(NodeServices.layer)("on disk", (it) => {
    it.effect("is drawn again from the journal when a run goes on, whatever was in the file", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const directory = yield* inDirectory
        const events = [started, ...step(1), ...step(2)]
        yield* fs.writeFileString(directory.metrics, '{"format":1,"half a')
        const records = yield* openRecords(directory, 2, events.slice(0, 5))
        yield* records.metrics(events)
        assert.strictEqual(yield* fs.readFileString(directory.metrics), metricsText(metricsRows(events)))
      })
    )
  })
})

describe("timings.ndjson", () => {
  layer(NodeServices.layer)("on disk", (it) => {
    it.effect("loses a torn last line when a run goes on, so that the next line is whole", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const directory = yield* inDirectory
        const first = yield* openRecords(directory, 1, [started])
        yield* first.timings("train", 1, { step: 2 })
        const whole = yield* fs.readFileString(directory.timings)
        yield* fs.writeFileString(directory.timings, '{"format":1,"attem', { flag: "a" })
        const second = yield* openRecords(directory, 2, [started])
        yield* second.timings("train", 2, { step: 3 })
        assert.strictEqual(
          yield* fs.readFileString(directory.timings),
          `${whole}{"format":1,"attempt":2,"stage":"train","step":2,"seconds":{"step":3}}\n`
        )
      })
    )
  })
})
