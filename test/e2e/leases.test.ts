/** Two orchestrators on one run, twenty times: the part of the torture that fits into every test run. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { directory, root, startProgram } from "../gradus.ts"

describe("two orchestrators on one run", () => {
  it("of twenty that were stopped past their lease and woken none commits anything, and nothing acknowledged is lost", async () => {
    const output = join(directory(), "leases.json")
    const args = ["--count", "20", "--seed", String(process.pid), "--output", output]
    const ended = await startProgram(join(root, "torture/leases.ts"), args).ended
    assert.strictEqual(ended.code, 0, ended.stderr + ended.stdout)
    const { counts } = JSON.parse(readFileSync(output, "utf8"))
    assert.deepInclude(counts, {
      trials: 20,
      "stale commits": 0,
      "acknowledged commits that are lost": 0,
      "stale answers": 0,
      "acknowledged answers that are lost": 0,
      "files of a later owner overwritten": 0,
      "taken from a living owner": 0
    })
    assert.isAbove(counts["commits that were acknowledged"], 60)
    assert.isAbove(counts["answers that were acknowledged"], 60)
  })
})
