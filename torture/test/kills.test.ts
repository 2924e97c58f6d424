/** kill -9 at many moments; the long counts are `npm run torture` (docs/reliability.md). */
import { assert, describe, it } from "@effect/vitest"
import { kills } from "../kills.ts"
import { realKills } from "../realKills.ts"

const none = { lost: 0, double: 0, "other bytes": 0, "other digests": 0, "could not go on": 0 }

describe("kill -9 anywhere, then the same command", () => {
  it("with a simulated policy, 40 times, also with the lease in Redis: nothing lost, nothing twice, the same bytes", async () => {
    const { counts, details, held } = await kills(40, 3)
    assert.deepInclude(counts, none, JSON.stringify(details))
    assert.isAtLeast(counts.kills, 40)
    assert.isAtLeast(counts["kills of runs on Redis"], 10)
    assert.isTrue(held)
  })

  it("with the real trainer, 4 times, at transitions of the trainer too: the same weights", async () => {
    const { counts, details, held } = await realKills(4, 1, ["--no-report"])
    assert.deepInclude(counts, none, JSON.stringify(details))
    assert.isAtLeast(counts["kills of the trainer"], 1)
    assert.isTrue(held)
  })
})
