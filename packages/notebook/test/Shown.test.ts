/** Tables and values as cells show them: hostile text stays text, numbers stand in columns, and nothing is not taken for something. */
import { assert, describe, it } from "@effect/vitest"
import { table } from "arquero"
import { shown } from "../src/Shown.ts"

const htmlOf = (value: unknown, options = {}): string => String(shown(value, options)["text/html"])
const textOf = (value: unknown, options = {}): string => String(shown(value, options)["text/plain"])

/** The texts of a table's body, row by row. */
const bodyOf = (source: string): ReadonlyArray<ReadonlyArray<string>> =>
  [...source.matchAll(/<tr>(.*?)<\/tr>/gs)]
    .map(([, row = ""]) => [...row.matchAll(/<td[^>]*>(.*?)<\/td>/gs)].map(([, cell = ""]) => cell.trim()))
    .filter((row) => row.length > 0)

const hostile = "</td><script>alert(1)</script>&\u202E\u0007$\\href{javascript:x}{y}$"

describe("a table", () => {
  it("shows an arquero table, a list of objects and an object, the same rows in HTML and in text", () => {
    const rows = [
      { arm: "uniform", mean: 0.123456 },
      { arm: "gaussian", mean: null }
    ]
    const arquero = table({ arm: rows.map(({ arm }) => arm), mean: rows.map(({ mean }) => mean) })
    for (const value of [rows, arquero]) {
      assert.deepStrictEqual(bodyOf(htmlOf(value)), [
        ["uniform", "0.1235"],
        ["gaussian", "–"]
      ])
      assert.strictEqual(textOf(value), "arm         mean\nuniform   0.1235\ngaussian       –")
    }
    assert.deepStrictEqual(bodyOf(htmlOf({ seed: 3, state: "finished" })), [
      ["seed", "3"],
      ["state", "finished"]
    ])
  })

  it("writes what is hostile as text that no browser, terminal or MathJax acts on", () => {
    for (const value of [[{ text: hostile }], [{ [hostile]: 1 }], { name: hostile }, hostile]) {
      const html = htmlOf(value)
      assert.notInclude(html, "<script>")
      assert.include(html, "&lt;/td&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;\\u202e\\u0007$")
      assert.include(html, 'class="tex2jax_ignore mathjax_ignore"')
      // oxlint-disable-next-line no-control-regex -- these are what must not be there
      assert.notMatch(html + textOf(value), /[\u0007\u202e]/)
    }
  })

  it("shows the first rows and says how many there are", () => {
    const rows = Array.from({ length: 25 }, (_, i) => ({ i, twice: 2 * i }))
    assert.lengthOf(bodyOf(htmlOf(rows)), 20)
    assert.include(htmlOf(rows), "20 of 25 rows")
    const few = { limit: 2, columns: ["twice"] }
    assert.deepStrictEqual(bodyOf(htmlOf(rows, few)), [["0"], ["2"]])
    assert.strictEqual(textOf(rows, few), "twice\n    0\n    2\n2 of 25 rows")
  })

  it("puts long texts in a box and cuts them where they never end", () => {
    const [[short, long] = []] = bodyOf(htmlOf([{ short: "a b", long: `${"x".repeat(3000)}` }]))
    assert.strictEqual(short, "a b")
    assert.match(long ?? "", /^<pre [^>]*>x{2000}…<\/pre>$/)
    assert.match(bodyOf(htmlOf([{ text: "one\ntwo" }]))[0]?.[0] ?? "", /^<pre [^>]*>one\ntwo<\/pre>$/)
    assert.strictEqual(textOf([{ text: "one\ntwo" }]), "text\none⏎two")
  })

  it("keeps the digits of a number's whole part", () =>
    assert.deepStrictEqual(bodyOf(htmlOf([{ a: 123_456.7, b: 1e-9, c: Number.NaN }])), [["123457", "1e-9", "NaN"]]))

  it("has no HTML without a row", () => {
    assert.deepStrictEqual(shown([]), { "text/plain": "no rows" })
    assert.deepStrictEqual(shown(table({ a: [] })), { "text/plain": "no rows" })
  })
})

describe("any other value", () => {
  it("is written as text or JSON", () => {
    assert.strictEqual(textOf(["a", 1]), '["a",1]')
    assert.strictEqual(textOf(0.5), "0.5")
    assert.match(htmlOf("said"), /^<pre [^>]*>said<\/pre>$/)
  })
})
