/** The JSON Schema says what the decoder says, of good and of damaged manifests, and the committed copy is current. */
import { Manifest } from "@gradus/domain/manifest/Manifest"
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { jsonSchema } from "../src/JsonSchema.ts"
import { toValue } from "../src/Tree.ts"
import { parse } from "../src/Yaml.ts"
import { valid } from "./Draft07.ts"
import { good } from "./GoodManifest.ts"
import { mutated } from "./Mutation.ts"

const schema = jsonSchema() as Record<string, unknown>
const decode = Schema.decodeUnknownResult(Manifest)
const decodes = (value: unknown): boolean => Result.isSuccess(decode(value, { onExcessProperty: "error" }))
const read = (text: string): unknown => toValue(Result.getOrThrow(parse({ kind: "file", file: "m" }, text)))

/** Every path of a value, and the value with something else there. */
const variants = (value: unknown): ReadonlyArray<unknown> => {
  if (Array.isArray(value)) {
    const inside = value.flatMap((item, i) => variants(item).map((other) => value.toSpliced(i, 1, other)))
    return [...leaf, [], [...value, 1], ...inside]
  }
  if (typeof value !== "object" || value === null) return leaf
  const entries = Object.entries(value)
  return [
    ...leaf,
    { ...value, unknown: 1 },
    ...entries.map(([key]) => Object.fromEntries(entries.filter(([other]) => other !== key))),
    ...entries.flatMap(([key, inner]) => variants(inner).map((other) => ({ ...value, [key]: other })))
  ]
}
const leaf: ReadonlyArray<unknown> = [null, true, 0, 1, 27, -1, 0.5, 2e9, "", "x", "sorting", "{question}", [], {}]

const full = `${good}
trainer: {kind: service, url: "http://h", token: {env: T}, dtype: float32}
rewards: {accuracy: judge, judge: {endpoint: "http://h", model: m, api_key: {env: K}, temperature: 0}}
curriculum: {batcher: gaussian, sigma: 0.1, start: 0.7, end: 0}
evaluate: {samples: 2, every: 0, sampling: {max_tokens: 4}}
filter: {drop_at: 0.75, floor: 0.1}
profile: {samples: 8}
generation: {concurrency: 2}
report: {examples: 0}
description: x
seed: 9007199254740991
`
const files = full.replace(
  "{kind: sorting}",
  "{kind: files, train: {path: a, columns: {id: b}, limit: 3}, heldout: {path: b}}"
)
const arithmetic = full.replace("{kind: sorting}", "{kind: arithmetic, levels: [add2], hard_levels: [chain6]}")
const sorting = full.replace(
  "{kind: sorting}",
  "{kind: sorting, letters: {min: 2, max: 9}, teacher: {swap: [0, 0, 0]}}"
)

describe("the JSON Schema", () => {
  it.each([good, files, arithmetic, sorting].map((text, i) => [i, text] as const))(
    "agrees with the decoder about manifest %d and all its variants",
    (_i, text) => {
      const whole = read(text)
      assert.isTrue(decodes(whole) && valid(whole, schema))
      const others = variants(whole)
      assert.isAbove(others.length, 400)
      assert.isAbove(others.filter(decodes).length, 20)
      for (const other of others) assert.strictEqual(valid(other, schema), decodes(other), JSON.stringify(other))
    }
  )
  it("agrees with the decoder about 500 damaged texts", () => {
    for (let n = 0; n < 500; n++) {
      const tree = parse({ kind: "file", file: "m" }, mutated(full, n))
      if (Result.isFailure(tree)) continue
      const value = toValue(tree.success)
      assert.strictEqual(valid(value, schema), decodes(value), JSON.stringify(value))
    }
  })
  it("lets a file that extends another leave out anything, but not write what is wrong", () => {
    for (const text of [
      "extends: base.yaml",
      "extends: [a.yaml, b.yaml]\ntrain: {steps: 3}",
      "extends: a\ncurriculum: {sigma: 0.2}"
    ])
      assert.isTrue(valid(read(text), schema), text)
    for (const text of [
      "extends: 3",
      "extends: a\ntrain: {steps: 0}",
      "extends: a\ntrian: {}",
      "extends: a\nquestions: {kind: x}"
    ])
      assert.isFalse(valid(read(text), schema), text)
  })
  it("tells editors the defaults", () => {
    const { properties } = (
      schema["definitions"] as Record<string, { properties: Record<string, { default?: unknown }> }>
    )["whole"]!
    assert.strictEqual(properties["seed"]?.default, 0)
    assert.deepInclude(properties["filter"]?.default, { drop_at: 0.75 })
    assert.isUndefined(properties["name"]?.default)
  })
  it("is committed as it is generated", () => {
    const committed = readFileSync(new URL("../../../docs/manifest.schema.json", import.meta.url), "utf8")
    assert.deepStrictEqual(JSON.parse(committed), schema)
  })
})
