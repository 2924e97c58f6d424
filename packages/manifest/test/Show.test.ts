/** What `gradus config show` prints. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { show } from "../src/Show.ts"
import { toValue } from "../src/Tree.ts"
import { parse } from "../src/Yaml.ts"
import { good, resolved } from "./GoodManifest.ts"

describe("show", () => {
  const text = show(resolved(good, "train.steps=7", "description='yes: #1'"))
  it("aligns values with where they came from", () => {
    const line = (path: string) => text.split("\n").find((row) => row.startsWith(`${path}:`))
    assert.match(line("name")!, /^name: sorting +# m\.yaml:2$/)
    assert.match(line("seed")!, /^seed: 0 +# default$/)
    assert.match(line("train.steps")!, /^train\.steps: 7 +# -s train\.steps=7$/)
    assert.match(line("questions.hard_letters")!, /^questions\.hard_letters: \[14, 16\] +# default$/)
    const columns = new Set(["name", "seed", "train.steps"].map((path) => line(path)!.indexOf("#")))
    assert.strictEqual(columns.size, 1)
  })
  it("is YAML that means the values", () => {
    const values = toValue(Result.getOrThrow(parse({ kind: "file", file: "shown" }, text))) as Record<string, unknown>
    assert.strictEqual(values["description"], "yes: #1")
    assert.deepStrictEqual(values["policy.tokenizer.tokens"], [
      "<think>",
      "</think>",
      "<on>",
      "<off>",
      "<user>",
      "<assistant>"
    ])
    assert.strictEqual(values["policy.architecture.norm_epsilon"], 1e-5)
    assert.strictEqual(Object.keys(values).length, text.trimEnd().split("\n").length)
  })
})
