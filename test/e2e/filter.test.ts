/** `gradus filter`: what is kept, why the rest is not, the control, overlaps; and input that cannot be. */
import { assert, describe, it } from "@effect/vitest"
import { inTrainerPython } from "@gradus/testing/TrainerPython"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { directory, gradus, lastLine } from "../gradus.ts"
import { jsonLines, rated, rowsFile, write } from "../rows.ts"

const counts = ["--passed", "k", "--n", "8"]

describe("gradus filter", () => {
  it("keeps 0 to 5 of 8, counts every level, says why the rest is dropped, and writes the kept lines as they were", async () => {
    const input = rated()
    const at = (name: string) => join(directory(), name)
    const [output, drops] = [at("kept.jsonl"), at("drops.jsonl")]
    const args = ["--input", input, ...counts, "--output", output, "--drops", drops, "--json"]
    const byLevel = Object.fromEntries(Array.from({ length: 9 }, (_, k) => [String(k), 3]))
    const result = lastLine(await gradus("filter", ...args))
    assert.deepInclude(result, { questions: 27, kept: 18, dropped: 9, byLevel, notes: [] })
    assert.deepStrictEqual(result.byReason, { kept: 18, too_easy: 9, below_floor: 0, unscored: 0 })
    const lines = readFileSync(input, "utf8").trimEnd().split("\n")
    assert.strictEqual(
      readFileSync(output, "utf8"),
      lines
        .filter((line) => JSON.parse(line).k <= 5)
        .map((line) => `${line}\n`)
        .join("")
    )
    const dropped = jsonLines(readFileSync(drops, "utf8"))
    assert.lengthOf(dropped, 9)
    assert.deepStrictEqual(dropped[0], {
      question_id: "q6",
      row: 7,
      passed: 6,
      scored: 8,
      rate: 0.75,
      low: null,
      high: null,
      reason: "too_easy"
    })
  })

  it("drops by the interval only what it can show, and says that it cannot at 8 samples and 0.95", async () => {
    const args = ["--input", rated(), ...counts, "--credible-level", "0.95", "--floor", "0.1", "--json"]
    const never = lastLine(await gradus("filter", ...args))
    assert.deepInclude(never, { kept: 27, drops: [], credible_level: 0.95, prior: [1, 1] })
    assert.isAbove(never.expectedMisfiltered, 0)
    assert.match(never.notes[0], /^with 8 samples the cut at 0.75 at credible level 0.95 can never drop a question/)
    const most = lastLine(await gradus("filter", ...args.map((arg) => (arg === "0.95" ? "0.9" : arg))))
    assert.deepStrictEqual(most.byReason, { kept: 24, too_easy: 3, below_floor: 0, unscored: 0 })
    for (const { low, reason } of most.drops) assert.isTrue(reason === "too_easy" && low >= 0.75)
  })

  it("draws a control of equal size without looking at rates, by seed and by domain", async () => {
    const control = join(directory(), "control.jsonl")
    const input = rated()
    const args = [
      "--input",
      input,
      ...counts,
      "--domain",
      "topic",
      "--control",
      control,
      "--control-by-domain",
      "--json"
    ]
    const drawn = async (seed: string) => {
      const { control: said } = lastLine(await gradus("filter", ...args, "--seed", seed))
      return { said, text: readFileSync(control, "utf8") }
    }
    const first = await drawn("1")
    const rows = jsonLines(first.text)
    assert.lengthOf(new Set(rows.map(({ id }) => id)), 18)
    assert.isTrue(rows.some(({ k }) => k > 5))
    const kept = jsonLines(readFileSync(input, "utf8")).filter(({ k }) => k <= 5)
    for (const topic of ["even", "odd"]) {
      const of = (all: ReadonlyArray<any>) => all.filter((row) => row.topic === topic).length
      assert.strictEqual(of(rows), of(kept))
    }
    assert.strictEqual(first.said.questions, 18)
    assert.closeTo(first.said.meanRate, rows.reduce((sum, { k }) => sum + k / 8, 0) / 18, 1e-12)
    assert.strictEqual((await drawn("1")).text, first.text)
    assert.notStrictEqual((await drawn("2")).text, first.text)
  })

  it("names questions that are in an evaluation file too, and those that are there twice", async () => {
    const long = "a farmer has twelve hens and each of them lays three eggs every day of the week except on sundays"
    const training = rowsFile([
      { id: "a", k: 1, question: `${long} how many in a week` },
      { id: "b", k: 8, question: "What is  2 + 2?" },
      { id: "c", k: 2, question: "WHAT IS 2+2" },
      { id: "d", k: 3, question: "What is 3 + 3?" },
      { id: "e", k: 4, question: "What is 3 + 3?" }
    ])
    const evaluation = write(
      "eval.jsonl",
      [
        { id: "x", question: "What is 2 + 2?" },
        { id: "y", question: `tell me: ${long}` },
        { id: "z", question: "what is 2+2" }
      ]
        .map((row) => `${JSON.stringify(row)}\n`)
        .join("")
    )
    const { overlap } = lastLine(
      await gradus("filter", "--input", training, ...counts, "--against", evaluation, "--json")
    )
    const named = (pairs: ReadonlyArray<any>) =>
      pairs.map(({ first, kept, kind, second }) => [kind, first.question_id, second.question_id, kept])
    assert.deepStrictEqual(named(overlap.across), [
      ["ngram", "y", "a", true],
      ["exact", "x", "b", false],
      ["words", "x", "c", true]
    ])
    assert.deepStrictEqual(named(overlap.within), [
      ["words", "b", "c", true],
      ["exact", "d", "e", true]
    ])
    assert.deepStrictEqual(overlap.counts, {
      across: { exact: 1, words: 1, ngram: 1 },
      within: { exact: 1, words: 1, ngram: 0 }
    })
    const told = await gradus("filter", "--input", training, ...counts, "--against", evaluation)
    assert.include(told.stdout, "3 in an evaluation file too: 1 equal, 1 with equal words, 1 with 13 words in a row")
    assert.include(told.stdout, `b (dropped) is x of ${evaluation}`)
  })

  it("reads Parquet and writes it with its own types, nested ones too", async () => {
    const cwd = directory()
    inTrainerPython(
      `
import pyarrow as pa, pyarrow.parquet as pq
rows = [{"prompt": [{"role": "user", "content": str(i)}], "extra_info": {"index": 2**40 + i}, "rate": i / 8} for i in range(9)]
pq.write_table(pa.Table.from_pylist(rows), "in.parquet")`,
      cwd
    )
    const file = (name: string) => join(cwd, name)
    const args = ["--input", file("in.parquet"), "--passed", "rate", "--kind", "rate", "--n", "8"]
    const result = await gradus("filter", ...args, "--output", file("out.parquet"), "--drops", file("drops.parquet"))
    assert.strictEqual(result.code, 0, result.stderr)
    const script = `
import pyarrow.parquet as pq
a, b = pq.read_table("in.parquet"), pq.read_table("out.parquet")
print(a.schema == b.schema, a.slice(0, 6).equals(b), pq.read_table("drops.parquet")["reason"].to_pylist())`
    assert.strictEqual(inTrainerPython(script, cwd), "True True ['too_easy', 'too_easy', 'too_easy']")
  })
})

describe("input that cannot be filtered", () => {
  const cases: ReadonlyArray<readonly [string, string, ReadonlyArray<string>, string]> = [
    ["a count above n", '{"id":"a","k":1}\n{"id":"b","k":9}\n', [], 'row 2, column "k": a number from 0 to 8'],
    ["NaN", '{"id":"a","k":NaN}\n', [], "row 1: NaN and Infinity are not JSON"],
    [
      "an id that occurs twice",
      '{"id":"a","k":1}\n{"id":"a","k":2}\n',
      [],
      'row 2, column "id": id "a" is already that of row 1'
    ],
    [
      "a column that is not there",
      '{"id":"a","K":1}\n',
      [],
      'row 1, column "k": no such column; the row has: id, K; did you mean "K"?'
    ],
    ["a torn last line", '{"id":"a","k":1}\n{"id":"b","k', [], "row 2: the file ends within this row"],
    ["an empty file", "", [], "the file is empty"],
    ["an empty cell", '{"id":"a","k":null}\n', [], 'row 1, column "k": a whole number is needed, and it is null'],
    ["a floor above the cut", '{"id":"a","k":1}\n', ["--floor", "0.8"], "--floor 0.8 is not below --drop-at 0.75"],
    ["a cut that is none", '{"id":"a","k":1}\n', ["--drop-at", "0"], "the filter cannot be so"],
    ["no number of samples", '{"id":"a","k":1}\n', ["--n-column", "k"], "--n and --n-column: give one of them"]
  ]
  it.each(cases)("%s is refused by name, and nothing is written", async (_, text, more, message) => {
    const output = join(directory(), "kept.jsonl")
    const ended = await gradus("filter", "--input", write("in.jsonl", text), ...counts, ...more, "--output", output)
    assert.strictEqual(ended.code, 2, ended.stderr)
    assert.include(ended.stderr, message)
    assert.isFalse(existsSync(output))
  })

  it("writes no file of which nothing is kept, and says why", async () => {
    const output = join(directory(), "kept.jsonl")
    const rule = ["--floor", "0.51", "--drop-at", "0.6"]
    const ended = await gradus("filter", "--input", rated(), ...counts, ...rule, "--output", output)
    assert.strictEqual(ended.code, 2)
    const why = "none of 27 questions: 12 have a pass rate of 0.6 or more, 15 are below the floor, 0 have no score"
    assert.include(ended.stderr, why)
    assert.isFalse(existsSync(output))
  })

  it("leaves every file as it was when one of several cannot be made", async () => {
    const folder = directory()
    const output = join(folder, "kept.jsonl")
    writeFileSync(output, "as it was\n")
    const input = rowsFile([{ id: "a", k: 1, prompt: [{ role: "user" }] }])
    const control = join(folder, "control.parquet")
    const ended = await gradus("filter", "--input", input, ...counts, "--output", output, "--control", control)
    assert.strictEqual(ended.code, 2)
    assert.include(ended.stderr, "column prompt holds nested or mixed values")
    assert.strictEqual(readFileSync(output, "utf8"), "as it was\n")
    assert.isFalse(existsSync(control))
  })

  it("an empty cell may mean that nothing was scored: the question is dropped as unscored", async () => {
    const input = write("in.jsonl", '{"id":"a","k":1}\n{"id":"b","k":null}\n')
    const result = lastLine(await gradus("filter", "--input", input, ...counts, "--missing", "unscored", "--json"))
    assert.deepStrictEqual(result.byReason, { kept: 1, too_easy: 0, below_floor: 0, unscored: 1 })
  })
})
