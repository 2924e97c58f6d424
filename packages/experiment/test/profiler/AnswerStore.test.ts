import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import {
  type AnswerRecord,
  readRecord,
  RECORD_BYTES,
  type StoredAnswer,
  writeRecord
} from "../../src/profiler/AnswerRecord.ts"
import { openAnswers } from "../../src/profiler/AnswerStore.ts"

const answer = (question: number, k: number, text = `text ${question}/${k} – ünï`): StoredAnswer => ({
  question_id: `q${question}`,
  k,
  text,
  finish_reason: "stop",
  value: (question + k) % 2,
  answer: "4",
  prompt_tokens: 3,
  completion_tokens: 5 + k,
  server: "http://s/v1"
})

/** Opens a store, does something with it, closes it; gives what it read. */
const opened = Effect.fnUntraced(function* (
  directory: string,
  write: ReadonlyArray<readonly [question: number, answers: ReadonlyArray<StoredAnswer>]> = []
) {
  const seen: Array<string> = []
  const records: Array<AnswerRecord> = []
  const reading = yield* Effect.scoped(
    Effect.gen(function* () {
      const store = yield* openAnswers({
        directory,
        placeOf: (id) => Number(id.slice(1)),
        each: (record) => {
          records.push(record)
          seen.push(`${record.question}/${record.k}`)
        }
      })
      yield* Effect.forEach(write, ([question, answers]) => store.append(question, answers), {
        concurrency: "unbounded"
      })
      return store.reading
    })
  )
  return { reading, records, seen }
})

const test = (
  name: string,
  body: (directory: string, fs: FileSystem.FileSystem) => Effect.Effect<void, unknown, any>
) =>
  it.live(
    name,
    () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        yield* body(yield* fs.makeTempDirectoryScoped(), fs)
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)) as Effect.Effect<void, unknown>
  )
const three = [
  [0, [answer(0, 0), answer(0, 1)]],
  [7, [answer(7, 3)]]
] as const
const ids = ["0/0", "0/1", "7/3"]

describe("stored answers", () => {
  test("are read again as they were written, from the records alone", (directory, fs) =>
    Effect.gen(function* () {
      yield* opened(directory, three)
      const size = Number((yield* fs.stat(`${directory}/answers.index`)).size)
      assert.strictEqual(size, 3 * RECORD_BYTES)
      const { reading, records, seen } = yield* opened(directory)
      assert.deepStrictEqual(seen, ids)
      assert.deepStrictEqual(reading, { records: 3, recovered: 0, tornBytes: 0 })
      assert.deepStrictEqual(records[2], {
        question: 7,
        k: 3,
        value: 0,
        failed: false,
        truncated: false,
        empty: false,
        prompt_tokens: 3,
        completion_tokens: 8,
        bytes: new TextEncoder().encode(`${JSON.stringify(answer(7, 3))}\n`).length
      })
    }))

  test("survive a kill between a line and its record, and a torn last line is cut off", (directory, fs) =>
    Effect.gen(function* () {
      yield* opened(directory, three)
      const texts = `${directory}/answers.jsonl`
      const whole = yield* fs.readFileString(texts)
      // a line without a record, then half a line, and half a record
      yield* fs.writeFileString(
        texts,
        `${whole}${JSON.stringify(answer(2, 0))}\n${JSON.stringify(answer(2, 1)).slice(0, 30)}`
      )
      const index = yield* fs.readFile(`${directory}/answers.index`)
      yield* fs.writeFile(`${directory}/answers.index`, index.subarray(0, 2 * RECORD_BYTES + 9))
      const first = yield* opened(directory, [[5, [answer(5, 0)]]])
      assert.deepStrictEqual(first.seen, [...ids, "2/0"])
      assert.deepStrictEqual(first.reading, { records: 4, recovered: 2, tornBytes: 30 })
      const second = yield* opened(directory)
      assert.deepStrictEqual(second.seen, [...ids, "2/0", "5/0"])
      assert.deepStrictEqual(second.reading, { records: 5, recovered: 0, tornBytes: 0 })
      const lines = (yield* fs.readFileString(texts)).trimEnd().split("\n")
      assert.deepStrictEqual(
        lines.map((line) => JSON.parse(line).question_id),
        ["q0", "q0", "q7", "q2", "q5"]
      )
    }))

  test("are found without their index, and a record that a power cut damaged is made again", (directory, fs) =>
    Effect.gen(function* () {
      yield* opened(directory, three)
      const file = `${directory}/answers.index`
      const index = yield* fs.readFile(file)
      const damaged = Uint8Array.from(index)
      damaged.fill(0, RECORD_BYTES, 2 * RECORD_BYTES)
      yield* fs.writeFile(file, damaged)
      assert.deepStrictEqual((yield* opened(directory)).reading, { records: 3, recovered: 2, tornBytes: 0 })
      assert.deepStrictEqual(yield* fs.readFile(file), index)
      yield* fs.remove(file)
      assert.deepStrictEqual((yield* opened(directory)).seen, ids)
      assert.deepStrictEqual(yield* fs.readFile(file), index)
    }))

  test("whose texts are not there are not believed", (directory, fs) =>
    Effect.gen(function* () {
      yield* opened(directory, three)
      const texts = `${directory}/answers.jsonl`
      const [line = ""] = (yield* fs.readFileString(texts)).split("\n", 1)
      yield* fs.writeFileString(texts, `${line}\n`)
      assert.deepStrictEqual((yield* opened(directory)).seen, ["0/0"])
    }))

  test("whose last text a power cut left as zeros are read from the texts, up to there", (directory, fs) =>
    Effect.gen(function* () {
      yield* opened(directory, three)
      const file = `${directory}/answers.jsonl`
      const texts = Uint8Array.from(yield* fs.readFile(file))
      const last = new TextEncoder().encode(`${JSON.stringify(answer(7, 3))}\n`).length
      yield* fs.writeFile(file, texts.fill(0, texts.length - last))
      const { reading, seen } = yield* opened(directory, [[7, [answer(7, 3)]]])
      assert.deepStrictEqual(seen, ids.slice(0, 2))
      assert.deepStrictEqual(reading, { records: 2, recovered: 2, tornBytes: last })
      assert.deepStrictEqual((yield* opened(directory)).reading, { records: 3, recovered: 0, tornBytes: 0 })
    }))

  test("of somebody else are an error that names the place", (directory, fs) =>
    Effect.gen(function* () {
      yield* fs.writeFileString(`${directory}/answers.jsonl`, "not ours\n")
      const error = yield* Effect.flip(opened(directory))
      assert.include(String(error), "answers.jsonl, at byte 0: not a stored answer")
    }))

  test("may be many at once: each is written when append returns", (directory) =>
    Effect.gen(function* () {
      const many = Array.from({ length: 500 }, (_, q) => [q, [answer(q, 0, "x".repeat(q)), answer(q, 1)]] as const)
      yield* opened(directory, many)
      const { reading, seen } = yield* opened(directory)
      assert.strictEqual(reading.records, 1000)
      assert.strictEqual(new Set(seen).size, 1000)
    }))
})

describe("a record", () => {
  it("keeps what cannot be known apart from zero, and is refused when one of its bytes is another", () => {
    const record: AnswerRecord = {
      question: 4_000_000_000,
      k: 65_535,
      value: null,
      failed: true,
      truncated: true,
      empty: true,
      prompt_tokens: null,
      completion_tokens: 0,
      bytes: 123_456_789
    }
    const view = new DataView(new ArrayBuffer(2 * RECORD_BYTES))
    writeRecord(view, RECORD_BYTES, record)
    assert.deepStrictEqual(readRecord(view, RECORD_BYTES), record)
    assert.isUndefined(readRecord(view, 0))
    for (let i = 0; i < RECORD_BYTES; i++) {
      view.setUint8(RECORD_BYTES + i, view.getUint8(RECORD_BYTES + i) ^ 1)
      assert.isUndefined(readRecord(view, RECORD_BYTES), `byte ${i}`)
      view.setUint8(RECORD_BYTES + i, view.getUint8(RECORD_BYTES + i) ^ 1)
    }
  })
})
