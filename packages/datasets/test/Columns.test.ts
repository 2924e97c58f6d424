import { assert, describe, it } from "@effect/vitest"
import { QuestionFile } from "@gradus/domain/manifest/Questions"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { cutGold, toQuestions, toWorkedExamples } from "../src/Columns.ts"
import type { Row } from "../src/Row.ts"
import { nearest } from "../src/Suggestion.ts"

const file = (settings: Partial<typeof QuestionFile.Encoded>): QuestionFile =>
  Schema.decodeSync(QuestionFile)({ path: "f.jsonl", ...settings })
const rowsOf = (...values: ReadonlyArray<Record<string, unknown>>): ReadonlyArray<Row> =>
  values.map((each, i) => ({ row: i + 1, values: each }))

describe("column mapping", () => {
  it.effect("takes what each column holds; numbers become texts, absent domains stay absent", () =>
    Effect.gen(function* () {
      const columns = { id: "n", question: "q", gold: "a", thinking: "t", domain: "d", level: "l" }
      const rows = rowsOf(
        { n: 7, q: "1+1?", a: 2, t: "off", d: "sums", l: 1 },
        { n: 8, q: "?", a: "x", t: "on", d: null }
      )
      assert.deepStrictEqual(yield* toQuestions("train", rows, file({ columns })), [
        { question_id: "7", question: "1+1?", gold: "2", thinking: "off", domain: "sums", level: "1" },
        { question_id: "8", question: "?", gold: "x", thinking: "on" }
      ])
    })
  )

  it.effect("names questions by set and row where no column does", () =>
    Effect.gen(function* () {
      const rows: ReadonlyArray<Row> = [{ row: 12, values: { question: "q", answer: "a" } }]
      assert.strictEqual((yield* toQuestions("heldout", rows, file({})))[0]?.question_id, "heldout-000012")
    })
  )

  it.effect.each([
    [
      { qestion: "q", answer: "a" },
      'f.jsonl, row 1, column "question": no such column; the row has: qestion, answer; did you mean "qestion"?'
    ],
    [{ x: 1 }, 'f.jsonl, row 1, column "question": no such column; the row has: x'],
    [{ question: 3, answer: "a" }, 'f.jsonl, row 1, column "question": a text is needed, and it is 3'],
    [{ question: " ", answer: "a" }, 'f.jsonl, row 1, column "question": the question is empty'],
    [
      { question: "q", answer: NaN },
      'f.jsonl, row 1, column "answer": a text or a finite number is needed, and it is NaN'
    ],
    [
      { question: "q", answer: null },
      'f.jsonl, row 1, column "answer": a text or a finite number is needed, and it is null'
    ],
    [
      { question: "q", answer: ["a"] },
      'f.jsonl, row 1, column "answer": a text or a finite number is needed, and it is a list'
    ],
    [
      { question: "a \ud800 b", answer: "a" },
      'f.jsonl, row 1, column "question": the text contains half of a surrogate pair'
    ],
    [{ question: "q", answer: "\udc00" }, 'f.jsonl, row 1, column "answer": the text contains half of a surrogate pair']
  ] as const)("says what is wrong, where: %j", ([values, message]) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(toQuestions("train", rowsOf(values), file({})))).message, message)
    })
  )

  it.effect("does not take inherited names for columns", () =>
    Effect.gen(function* () {
      const mapped = file({ columns: { question: "constructor" } })
      const error = yield* Effect.flip(toQuestions("train", rowsOf({ answer: "a" }), mapped))
      assert.match(error.message, /column "constructor": no such column/)
    })
  )

  it.effect("refuses a mode that is neither on nor off", () =>
    Effect.gen(function* () {
      const rows = rowsOf({ question: "q", answer: "a", t: "yes" })
      const error = yield* Effect.flip(toQuestions("train", rows, file({ columns: { thinking: "t" } })))
      assert.match(error.message, /column "t": "on" or "off" is needed, and it is "yes"/)
    })
  )

  it.effect("names both rows of an id that occurs twice, and refuses an empty one", () =>
    Effect.gen(function* () {
      const mapped = file({ columns: { id: "id" } })
      const row = (id: string | number) => ({ id, question: "q", answer: "a" })
      const twice = yield* Effect.flip(toQuestions("train", rowsOf(row(1), row(2), row("1")), mapped))
      assert.strictEqual(twice.message, 'f.jsonl, row 3, column "id": id "1" is already that of row 1')
      const empty = yield* Effect.flip(toQuestions("train", rowsOf(row("")), mapped))
      assert.match(empty.message, /row 1, column "id": an id is needed/)
    })
  )

  it.effect("takes the text to imitate of warm-up rows", () =>
    Effect.gen(function* () {
      const rows = rowsOf({ question: "q", answer: "a", c: "<think>t</think>a" })
      const [example] = yield* toWorkedExamples(rows, file({ columns: { completion: "c" } }))
      assert.deepInclude(example, { question_id: "warmup-000001", completion: "<think>t</think>a" })
      const error = yield* Effect.flip(toWorkedExamples(rows, file({})))
      assert.match(error.message, /row 1, column "completion": no such column/)
    })
  )
})

describe("the GSM8K rule", () => {
  it("takes what stands after the last ####, without commas and blanks", () => {
    assert.strictEqual(cutGold("a #### 1\n#### 1,234,000 ", "gsm8k_hash_last"), "1234000")
    assert.strictEqual(cutGold("#### -5", "gsm8k_hash_last"), "-5")
    assert.strictEqual(cutGold("no marks", "gsm8k_hash_last"), undefined)
    assert.strictEqual(cutGold("5 ####", "gsm8k_hash_last"), undefined)
    assert.strictEqual(cutGold(" 1,2 ", "whole"), " 1,2 ")
  })

  it.effect("is a row error where nothing stands there", () =>
    Effect.gen(function* () {
      const rows = rowsOf({ question: "q", answer: "5" })
      const error = yield* Effect.flip(toQuestions("train", rows, file({ gold_rule: "gsm8k_hash_last" })))
      assert.match(error.message, /row 1, column "answer": no answer stands after/)
    })
  )
})

it("the nearest name is suggested, and none that is far", () => {
  assert.strictEqual(nearest("qeustion", ["answer", "question"]), "question")
  assert.strictEqual(nearest("Question", ["question"]), "question")
  assert.strictEqual(nearest("gold", ["question", "answer"]), undefined)
})
