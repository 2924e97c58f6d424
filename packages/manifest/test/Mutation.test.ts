/** Whatever happens to a good manifest, the answer is a valid manifest or problems with their places. */
import { cpuMillis } from "@gradus/testing/CpuMillis"
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { resolve } from "../src/Resolve.ts"
import { show } from "../src/Show.ts"
import { good } from "./GoodManifest.ts"
import { mutated } from "./Mutation.ts"

const count = 500

describe(`${count} damaged manifests`, () => {
  const results = Array.from({ length: count }, (_, n) => mutated(good, n)).map((text) => {
    const start = cpuMillis()
    const result = resolve([{ file: "m.yaml", text }], [])
    return { text, result, ms: cpuMillis() - start }
  })

  it("are resolved, or refused with places inside the text", () => {
    for (const { text, result } of results) {
      if (Result.isSuccess(result)) assert.match(result.success.digest, /^[0-9a-f]{64}$/)
      else
        for (const { line, col, path, message } of result.failure.issues) {
          assert.isAtLeast(line, 1)
          assert.isAtMost(line, text.split("\n").length)
          assert.isAtLeast(col, 1)
          assert.isAtMost(col, text.length + 2)
          assert.isAbove(path.length, 0)
          assert.isBelow(message.length, 300)
        }
    }
  })
  it("are of both sorts, so that both answers were tried", () => {
    const valid = results.filter(({ result }) => Result.isSuccess(result)).length
    assert.isAbove(valid, 20)
    assert.isAbove(count - valid, 200)
  })
  it("give lines without line breaks", () => {
    for (const { result } of results)
      if (Result.isFailure(result))
        assert.strictEqual(result.failure.message.split("\n").length, result.failure.issues.length)
      else assert.strictEqual(show(result.success).trimEnd().split("\n").length, result.success.provenance.length)
  })
  it("take no time and leave Object.prototype as it was", () => {
    assert.isBelow(Math.max(...results.map(({ ms }) => ms)), 1000)
    assert.deepStrictEqual(Object.keys(Object.prototype), [])
    assert.isUndefined(({} as Record<string, unknown>)["polluted"])
  })
})
