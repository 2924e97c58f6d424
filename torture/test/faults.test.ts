/** Networks and disks that fail; the long counts are `npm run torture` (docs/reliability.md). */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { diskFaults } from "../diskFaults.ts"
import { faultedRequests, services } from "../faultedRequests.ts"
import { resumes } from "../resumes.ts"
import { updates } from "../updates.ts"

describe("a network that fails", () => {
  it.live("spoils every tenth of 10,000 requests in twenty ways, and the profile is the clean one", () =>
    Effect.gen(function* () {
      const { chosen, counts } = yield* faultedRequests(10_000, 2)
      assert.lengthOf(Object.keys(chosen), 20)
      for (const [way, times] of Object.entries(chosen)) assert.isAbove(times, 9, way)
      assert.isAbove(counts["requests spoilt"], 900)
      const { double, "groups that differ from the clean run": different, lost } = counts
      assert.deepStrictEqual({ lost, double, different }, { lost: 0, double: 0, different: 0 })
      assert.isAtMost(counts["calls over the clean run"], 1.3)
    }).pipe(Effect.provide(services))
  )

  it.live("loses and doubles requests and answers of 1,000 updates, and the trainer takes each step once", () =>
    Effect.gen(function* () {
      const { counts, held } = yield* updates(1000, 2)
      assert.deepInclude(counts, { "numbers missing in the ledger": 0, "numbers twice in the ledger": 0 })
      assert.deepInclude(counts, { "ledgers equal": "true", "chains of digests equal": "true" })
      for (const name of ["answers lost", "requests lost", "delivered twice", "answers that were replays"] as const)
        assert.isAbove(Number(counts[name]), 4, name)
      assert.isTrue(held)
    })
  )
})

describe("a disk that fails", () => {
  it("ends the run with an error that names a file, and costs nothing once it is good again", async () => {
    const { counts, details } = await diskFaults(5, 2)
    assert.deepStrictEqual(details, [])
    assert.strictEqual(counts["faults tried"], 5)
  })
})

describe("2,000 random runs that are cut at random places", () => {
  it("ask, joined, what the uncut runs ask, in the same order", () => {
    const { counts, details } = resumes(2000, 2)
    assert.deepStrictEqual(details.wrong, [])
    assert.isAbove(counts["attempts in all"], 4000)
  })
})
