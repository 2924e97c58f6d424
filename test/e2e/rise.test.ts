/** The loop learns, and it learns from the rewards: the same run with the rewards of each batch shuffled does not. */
import { assert, describe, it } from "@effect/vitest"
import { join } from "node:path"
import { directory, gradus, lastLine, root } from "../gradus.ts"

const plain = ["--no-report", "--json"]
const manifest = join(root, "test/e2e/short.yaml")

describe("the quickstart in short", () => {
  it("raises held-out accuracy, and its control does not", async () => {
    const runs = directory()
    const real = lastLine(await gradus("run", manifest, "--runs", runs, ...plain))
    const control = lastLine(await gradus("run", manifest, "-s", "rewards.control=shuffled", "--runs", runs, ...plain))
    const rise = (summary: any): number => summary.eval.heldout.last - summary.eval.heldout.first
    assert.isAbove(rise(real), 0.15)
    assert.isBelow(rise(control), 0.05)
    // the two differ in nothing but what the rewards say
    assert.strictEqual(control.eval.heldout.first, real.eval.heldout.first)
    assert.strictEqual(control.digest.plan, real.digest.plan)
  })
})
