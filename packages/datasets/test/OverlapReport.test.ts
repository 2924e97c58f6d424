import { assert, describe, it } from "@effect/vitest"
import { existsSync, readFileSync } from "node:fs"
import { overlapReport, wordsOf } from "../src/OverlapReport.ts"

const words = (count: number, from = 0): string => Array.from({ length: count }, (_, i) => `w${from + i}`).join(" ")
const named = (set: string, question_id: string, question: string) => ({ set, question_id, question })

describe("the overlap report", () => {
  it("names pairs across sets and within one, each by its strongest kind", () => {
    const report = overlapReport([
      named("heldout", "h1", "What is 2 + 2?"),
      named("heldout", "h2", words(20)),
      named("train", "t1", "What  is 2 +\n2?"),
      named("train", "t2", "what is 2 2"),
      named("train", "t3", `Before. ${words(13, 4)}; after`),
      named("train", "t4", words(20, 100)),
      named("train", "t5", words(20, 100))
    ])
    assert.deepStrictEqual(report.across, [
      { kind: "exact", first: { set: "heldout", question_id: "h1" }, second: { set: "train", question_id: "t1" } },
      { kind: "words", first: { set: "heldout", question_id: "h1" }, second: { set: "train", question_id: "t2" } },
      {
        kind: "ngram",
        shared: words(13, 4),
        share: 1 / 3,
        first: { set: "heldout", question_id: "h2" },
        second: { set: "train", question_id: "t3" }
      }
    ])
    assert.deepStrictEqual(report.within, [
      { kind: "words", first: { set: "train", question_id: "t1" }, second: { set: "train", question_id: "t2" } },
      { kind: "exact", first: { set: "train", question_id: "t4" }, second: { set: "train", question_id: "t5" } }
    ])
    assert.strictEqual(report.short, 3)
  })

  it("names every question that is evaluated, also where another of its own set is more like it, and the other way round", () => {
    const long = `${words(13)} ${words(40, 100)}`
    const report = overlapReport([
      named("heldout", "h1", words(20)),
      named("heldout", "h2", words(30, 500)),
      named("train", "t1", long),
      named("train", "t2", long),
      named("train", "t3", words(30, 500)),
      named("train", "t4", words(30, 500))
    ])
    const pairs = (list: typeof report.across) =>
      list.map(({ first, kind, second }) => [second.question_id, kind, first.question_id])
    assert.deepStrictEqual(pairs(report.across), [
      ["t1", "ngram", "h1"],
      ["t2", "ngram", "h1"],
      ["t3", "exact", "h2"],
      ["t4", "exact", "h2"]
    ])
    assert.deepStrictEqual(pairs(report.within), [
      ["t2", "exact", "t1"],
      ["t4", "exact", "t3"]
    ])
  })

  it("does not take 12 shared words for an overlap, and 13 for one", () => {
    const at = (n: number) =>
      overlapReport([named("a", "1", words(30)), named("b", "2", `x ${words(n)} y`)]).across.length
    assert.strictEqual(at(12), 0)
    assert.strictEqual(at(13), 1)
  })

  it("keeps formulas without words apart, and words of all scripts together", () => {
    const signs = overlapReport([named("a", "1", "(+) * (-)"), named("b", "2", "(-) * (+)")])
    assert.deepStrictEqual(signs.across, [])
    assert.deepStrictEqual(wordsOf("Ça: 3²=9, наш ответ!"), ["ça", "3²", "9", "наш", "ответ"])
  })

  it("names the earlier question that shares most", () => {
    const report = overlapReport([
      named("a", "little", words(13)),
      named("a", "much", `${words(20, 50)}`),
      named("b", "x", `${words(13)} ${words(20, 50)}`)
    ])
    assert.strictEqual(report.across[0]?.first.question_id, "much")
  })

  it("finds nothing among 2,000 questions without a shared run, and refuses an n-gram of nothing", () => {
    const questions = (count: number) =>
      Array.from({ length: count }, (_, i) => named(i % 2 === 0 ? "a" : "b", `${i}`, words(40, 37 * i)))
    assert.strictEqual(overlapReport(questions(2000)).across.length, 0)
    assert.throws(() => overlapReport([], 0), RangeError)
  })
})

const gsm8k = (name: string): URL => new URL(`../../../../shared/data/gsm8k/${name}.jsonl`, import.meta.url)
const there = existsSync(gsm8k("train"))
describe(`the two sets of GSM8K${there ? "" : " (absent here: two lines of our own)"}`, () => {
  it("are searched whole, and every overlap is a pair that shares its words", () => {
    const rows = (name: string) =>
      there
        ? readFileSync(gsm8k(name), "utf8")
            .trim()
            .split("\n")
            .map((line, i) => named(name, `${name}-${i}`, JSON.parse(line).question))
        : [named(name, `${name}-0`, `${words(14)} ${name}`)]
    const all = [...rows("test"), ...rows("train")]
    const { across, questions, within } = overlapReport(all)
    assert.strictEqual(questions, there ? 8792 : 2)
    const text = new Map(all.map((row) => [row.question_id, wordsOf(row.question).join(" ")]))
    assert.isAbove(across.length, 0)
    for (const { first, kind, second, shared } of [...across, ...within]) {
      if (kind !== "ngram") assert.strictEqual(text.get(first.question_id), text.get(second.question_id))
      else {
        assert.include(text.get(first.question_id) ?? "", shared ?? "?")
        assert.include(text.get(second.question_id) ?? "", shared ?? "?")
      }
    }
  })
})
