/** What YAML may not do in a manifest, each refusal with its place, and what it may. */
import { cpuMillis } from "@gradus/testing/CpuMillis"
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { formatIssue } from "../src/ManifestInvalid.ts"
import { toValue } from "../src/Tree.ts"
import { parse } from "../src/Yaml.ts"

const refusals = (text: string): ReadonlyArray<string> => {
  const result = parse({ kind: "file", file: "m" }, text)
  return Result.isFailure(result) ? result.failure.map(formatIssue) : []
}
const value = (text: string): unknown => toValue(Result.getOrThrow(parse({ kind: "file", file: "m" }, text)))

const lol = (levels: number, wide: number): string =>
  Array.from({ length: levels }, (_, i) => {
    const item = i === 0 ? "x" : `*a${i - 1}`
    return `k${i}: &a${i} [${Array.from({ length: wide }, () => item).join(", ")}]`
  }).join("\n")

const cases: ReadonlyArray<readonly [name: string, text: string, refusal: string]> = [
  ["over 1 MiB", `a: ${"x".repeat(1 << 20)}`, "m:1:1 manifest: is larger than 1 MiB"],
  ["raw NUL", "a: 1\nb: x\0y\n", "m:2:5 manifest: contains a NUL byte"],
  ["escaped NUL", 'a: 1\nb: "x\\0y"\n', "m:2:4 b: contains a NUL character"],
  ["control character", "a: \u001b[2J\n", "m:1:4 manifest: contains the character U+001B"],
  ["half a surrogate pair", 'a: "\\uD800"\n', "m:1:4 a: contains half of a surrogate pair"],
  ["two documents", "a: 1\n---\na: 2\n", "m:2:1 manifest: must be a single YAML document"],
  ["two documents by ...", "a: 1\n...\na: 2\n", "m:3:1 manifest: must be a single YAML document"],
  ["directive", "%YAML 1.1\n---\na: yes\n", "m:1:1 manifest: directives are not allowed"],
  ["duplicate key", "seed: 1\nseed: 2\n", "m:2:1 seed: duplicate key; the first is on line 1"],
  ["duplicate key after CR LF", "seed: 1\r\nx: 1\r\nseed: 2\r\n", "m:3:1 seed: duplicate key; the first is on line 1"],
  [
    "duplicate key in two spellings",
    "a: {seed: 1, 'seed': 2}\n",
    "m:1:14 a.seed: duplicate key; the first is on line 1"
  ],
  ["merge key", "a: &a {x: 1}\nb:\n  <<: *a\n", 'm:3:3 b."<<": merge keys are not allowed; use extends'],
  ["alias bomb", lol(9, 9), "m:5:1"],
  ["alias to itself", "a: &a [*a]\n", "m:1:8 a[0]: this alias names no anchor written before it"],
  ["5000 flow lists", "[".repeat(5000), "m:1:65 manifest: is nested deeper than 64"],
  ["3000 flow maps", "{a: ".repeat(3000), "m:1:257 manifest: is nested deeper than 64"],
  ["5000 block lists", "- ".repeat(5000), "m:1:129 manifest: is nested deeper than 64"],
  ["deep indentation", Array.from({ length: 900 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"), "m:65:"],
  ["too many tokens", `[${"a,".repeat(200_000)}]`, "m:1:13334 manifest: has more than 20000 tokens"],
  ["a million line feeds", "\n".repeat((1 << 20) - 1), "m:20001:1 manifest: has more than 20000 lines"],
  ["__proto__", "a: 1\n__proto__: {polluted: true}\n", "m:2:1 __proto__: unknown key"],
  ["constructor", "a: {constructor: 1}\n", "m:1:5 a.constructor: unknown key"],
  ["prototype", "prototype: 1\n", "m:1:1 prototype: unknown key"],
  ["binary tag", 'x: !!binary "AAAA"\n', "m:1:4 manifest: tags are not allowed"],
  ["python tag", 'x: !!python/object/apply:os.system ["true"]\n', "m:1:4 manifest: tags are not allowed"],
  ["own tag on a key", "a: 1\n!x k: 1\n", "m:2:1 manifest: tags are not allowed"],
  ["str tag", "x: !!str 5\n", "m:1:4 manifest: tags are not allowed"],
  ["integer over 2^53", "seed: 9007199254740993\n", "m:1:7 seed: is out of range: integers are exact up to 2^53 - 1"],
  ["hexadecimal over 2^53", "seed: 0xffffffffffffffff\n", "m:1:7 seed: is out of range"],
  ["a million digits", `seed: ${"9".repeat(1_000_000)}\n`, "m:1:7 seed: is out of range"],
  ["float over the range", "x: 1e999\n", "m:1:4 x: is out of range"],
  ["list as a key", "a: 1\n[a]: 1\n", "m:2:1 manifest: a key must be a plain text"],
  ["open quote", 'a: "x\nb: 1\n', "m:"],
  ["open bracket", "a: [1, 2\n", "m:"],
  ["tab indentation", "a:\n\tb: 1\n", "m:2:"],
  ["colon in a plain text", "a: b: c\n", "m:1:4 manifest: a map or list cannot begin here"]
]

describe("a text is refused, with its place and at once:", () => {
  it.each(cases)("%s", (_name, text, refusal) => {
    const start = cpuMillis()
    const [first = "accepted", ...rest] = refusals(text)
    const ms = cpuMillis() - start
    assert.isTrue(first.startsWith(refusal), `${first} is not ${refusal}`)
    assert.isBelow(rest.length, 3)
    assert.isBelow(ms, 1000)
    assert.isUndefined(({} as Record<string, unknown>)["polluted"])
  })

  it("never repeats what was written", () => {
    for (const text of [
      'key: "sk-secret',
      "key: [sk-secret",
      "key: sk-secret: x",
      "key: *sk-secret",
      "key: !sk-secret x"
    ])
      assert.notInclude(refusals(text).join(), "sk-secret", text)
  })
})

describe("a text is accepted:", () => {
  it("with a byte order mark, which is no column", () => {
    assert.deepStrictEqual(value("\ufeffseed: 1\n"), { seed: 1 })
    assert.match(refusals("\ufeffseed: 1\nseed: 2\n")[0]!, /^m:2:1 seed/)
    assert.match(refusals("\ufeff__proto__: 2\n")[0]!, /^m:1:1 /)
  })
  it("with CR LF line ends", () => {
    assert.deepStrictEqual(value("seed: 1\r\nname: x\r\n"), { seed: 1, name: "x" })
  })
  it("with anchors and aliases that stand for little", () => {
    assert.deepStrictEqual(value("a: &a {x: [1]}\nb: *a\n"), { a: { x: [1] }, b: { x: [1] } })
  })
  it("with 900 kB on one line", () => {
    assert.deepStrictEqual(value(`a: "${"x".repeat(900_000)}"`), { a: "x".repeat(900_000) })
  })
  it("64 deep", () => {
    assert.doesNotThrow(() => value("[".repeat(64) + "]".repeat(64)))
  })
  it("with the scalars of YAML 1.2's core schema, and no others", () => {
    assert.deepStrictEqual(
      value(
        "[yes, no, on, 0o17, 0x1F, 1e3, ~, null, true, 2024-01-01, 012, 1_000, '1', 9007199254740991, -9007199254740991]"
      ),
      [
        "yes",
        "no",
        "on",
        15,
        31,
        1000,
        null,
        null,
        true,
        "2024-01-01",
        12,
        "1_000",
        "1",
        9007199254740991,
        -9007199254740991
      ]
    )
  })
  it("with exclamation marks, percent signs and stars inside texts", () => {
    assert.deepStrictEqual(value('a: "!x"\nb: x !y %z *w\nc: |\n  %YAML\n  !x\n'), {
      a: "!x",
      b: "x !y %z *w",
      c: "%YAML\n!x\n"
    })
  })
  it("and nothing in it is expanded", () => {
    assert.deepStrictEqual(value("a: ${HOME} $HOME ~/x\n"), { a: "${HOME} $HOME ~/x" })
  })
})
