import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { takeAnswer } from "../src/Answer.ts"
import { math } from "../src/accuracy/Math.ts"
import { numeric } from "../src/accuracy/Numeric.ts"
import { lastNumber, plainNumber, readNumber } from "../src/accuracy/NumberText.ts"
import { exact } from "../src/accuracy/Exact.ts"
import { readRows } from "./RealData.ts"

const right = { kind: "scored", value: 1 } as const
const wrong = { kind: "scored", value: 0 } as const
const unreadable = { kind: "unscored", reason: "gold_unreadable" } as const

describe("readNumber", () => {
  it.each([
    ["18", 18],
    ["-5", -5],
    ["−5", -5],
    ["+3.50", 3.5],
    [".4", 0.4],
    ["1,234,567.8", 1_234_567.8],
    ["1 000", 1000],
    ["11,\\! 111,\\! 111,\\! 100", 11_111_111_100],
    ["$-5", -5],
    ["-$5", -5],
    ["\\$10", 10],
    ["$9$", 9],
    ["1,000.99€", 1000.99],
    ["10%", 10],
    ["28 percent", 28],
    ["3/4", 0.75],
    ["-3/4", -0.75],
    ["2 1/2", 2.5],
    ["2½", 2.5],
    ["-½", -0.5],
    ["\\frac{10}{8}", 1.25],
    ["918\\frac{1}{2}", 918.5],
    ["１２３", 123],
    ["1e-3", 0.001],
    ["42.", 42]
  ])("reads %j as %d", (text, value) => {
    assert.strictEqual(readNumber(text)?.value, value)
  })

  it.each([
    "",
    "five",
    "1,23",
    "12,3456",
    "1.2.3",
    "1/0",
    "0/0",
    "10²",
    "2^10",
    "5 apples",
    "1e999",
    "--5",
    "3 4",
    "0x10",
    "A1"
  ])("refuses %j", (text) => {
    assert.isNull(readNumber(text))
  })

  it("keeps whole numbers beyond 2^53", () => {
    assert.strictEqual(readNumber("-12,345,678,901,234,567,891")?.integer, -12_345_678_901_234_567_891n)
  })

  it.prop("reads back what JavaScript prints", [Schema.Finite], ([number]) => {
    assert.strictEqual(readNumber(String(number))?.value, number === 0 ? 0 : number)
  })
})

describe("lastNumber", () => {
  it.each([
    ["16-3", "3"],
    ["so 3 - 5 = -2.", "-2"],
    ["$1,234.50 in all", "$1,234.50"],
    ["the area is 10 m²", "10"],
    ["on 10/12/2024", null],
    ["AZYUK2A", null],
    ["1, 2, 3", "3"],
    ["it is 5km", "5"],
    ["10^3", null],
    ["2 times 10^{-3}", "2"],
    ["5 = \\sqrt{25}", "5"],
    ["x^2 = 9", "9"],
    ["14\\sqrt{2}", null],
    ["2π", null]
  ])("of %j is %j", (text, number) => {
    assert.strictEqual(lastNumber(text), number)
  })

  it("never takes part of a number that the search begins inside of", () => {
    assert.isNull(lastNumber("7".repeat(5_000)))
  })
})

it("plainNumber writes a number without ornament", () => {
  assert.strictEqual(plainNumber("+$1,234.50"), "1234.50")
  assert.isNull(plainNumber("about 5"))
})

describe("numeric accuracy", () => {
  it("compares the last number of an answer with the truth", () => {
    assert.deepStrictEqual(numeric("first 3, so the answer is 1,000 dollars.", "1000"), right)
    assert.deepStrictEqual(numeric("first 1000, so the answer is 3", "1000"), wrong)
    assert.deepStrictEqual(numeric("no number", "1000"), wrong)
    assert.deepStrictEqual(numeric(null, "1000"), wrong)
    assert.deepStrictEqual(numeric("72", "Natalia sold 48/2 = 24 clips.\n#### 72"), right)
  })

  it("reads no part of a time or a ratio", () => {
    assert.deepStrictEqual(numeric("they meet at 12:30", "30"), wrong)
    assert.deepStrictEqual(numeric("the ratio is 2:1", "1"), wrong)
    assert.deepStrictEqual(numeric("Answer: 30", "30"), right)
    assert.deepStrictEqual(numeric("30 (at 12:45)", "30"), right)
    assert.deepStrictEqual(numeric("12:30", "12:30"), unreadable)
  })

  it("is unscored when the truth is not a number", () => {
    for (const gold of ["", "many", "1/0", "3 or 4"]) assert.deepStrictEqual(numeric("3", gold), unreadable)
  })

  it("allows a relative difference of 1e-6, but none between whole numbers", () => {
    assert.deepStrictEqual(numeric("0.3333334", "1/3"), right)
    assert.deepStrictEqual(numeric("0.33334", "1/3"), wrong)
    assert.deepStrictEqual(numeric("1000001", "1000000"), wrong)
    assert.deepStrictEqual(numeric("1000000.00", "1000000"), right)
    assert.deepStrictEqual(numeric("12345678901234567890", "12345678901234567891"), wrong)
    assert.deepStrictEqual(numeric("0.0000001", "0"), wrong)
    assert.deepStrictEqual(numeric("5.01", "5", 0.01), right)
  })

  it("takes a percent sign as a unit or as a factor where only one side has it", () => {
    assert.deepStrictEqual(numeric("10%", "10"), right)
    assert.deepStrictEqual(numeric("33.5%", "0.335"), right)
    assert.deepStrictEqual(numeric("0.1", "10\\%"), right)
    assert.deepStrictEqual(numeric("10%", "0.1%"), wrong)
    assert.deepStrictEqual(numeric("0.1", "1%"), wrong)
  })

  it.prop("is right for the truth itself and wrong for its negation", [Schema.Finite], ([number]) => {
    assert.deepStrictEqual(numeric(`It is ${number}`, String(number)), right)
    if (number !== 0) assert.deepStrictEqual(numeric(String(-number), String(number)), wrong)
  })

  it.prop("answers any text without failing", [Schema.String], ([text]) => {
    assert.strictEqual(numeric(text, "1").kind, "scored")
  })
})

describe("exact accuracy", () => {
  it("compares composed texts without outer white space; case counts", () => {
    assert.deepStrictEqual(exact(" bdqz\n", "bdqz"), right)
    assert.deepStrictEqual(exact("e\u0301", "\u00e9"), right)
    assert.deepStrictEqual(exact("Bdqz", "bdqz"), wrong)
    assert.deepStrictEqual(exact("bd qz", "bdqz"), wrong)
    assert.deepStrictEqual(exact(null, "bdqz"), wrong)
    assert.deepStrictEqual(exact("", " "), unreadable)
  })
})

const rows = readRows(
  "answers/gsm8k_real_model_answers.jsonl",
  Schema.Struct({
    id: Schema.String,
    gold: Schema.String,
    completion: Schema.String,
    expected_correct: Schema.Boolean
  }),
  1200
)
it.each([
  ["numeric", "after_think", numeric],
  ["math", "math_last", math]
] as const)(
  `%s agrees with the labels of real GSM8K answers${rows === undefined ? " (shared data absent: nothing to compare)" : ""}`,
  (_, rule, accuracy) => {
    const disagree = (rows ?? []).filter(({ completion, gold, expected_correct }) => {
      const one = accuracy(takeAnswer(rule, completion), gold)
      return one.kind !== "scored" || one.value !== Number(expected_correct)
    })
    assert.deepStrictEqual(
      disagree.map(({ id }) => id),
      []
    )
  }
)
