/** kill -9 at many moments; the long counts are `npm run torture` (docs/reliability.md). */
import { assert, describe, it } from "@effect/vitest"
import { kills } from "../kills.ts"
import { realKills } from "../realKills.ts"

const none = { lost: 0, double: 0, "other bytes": 0, "other digests": 0, "could not go on": 0 }
/** At named moments and at any time. */
const any = () => true

describe("kill -9 anywhere, then the same command", () => {
  it("with a simulated policy, 100 times with the lease in a file and 100 times in Redis: nothing lost, nothing twice, the same bytes", async () => {
    const { counts, details, held } = await kills(200, 3, any)
    assert.deepInclude(counts, none, JSON.stringify(details))
    assert.isAtLeast(counts["kills of runs on Redis"], 100)
    assert.isAtLeast(counts.kills - counts["kills of runs on Redis"], 100)
    // a kind of moment has its second kill on a store when all have had their first
    assert.isAtLeast(counts["moments killed at on Redis"], 50)
    assert.isAtLeast(counts["moments killed at"], 90)
    // one on each store
    assert.isAtLeast(counts["kills of workers"], 2)
    assert.isTrue(held)
  })

  it("with the real trainer, 10 times on each store, at transitions of the trainer too: the same weights", async () => {
    const { counts, details, held } = await realKills(20, 1, { counted: any, flags: ["--no-report"] })
    assert.deepInclude(counts, none, JSON.stringify(details))
    assert.isAtLeast(counts["kills of runs on Redis"], 10)
    assert.isAtLeast(counts.kills - counts["kills of runs on Redis"], 10)
    assert.isAtLeast(counts["kills of the trainer"], 1)
    assert.isTrue(held)
  })
})
