import { assert, describe, it } from "@effect/vitest"
import * as PublishRecords from "@gradus/inference/PublishRecords"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { inTemporaryRuns, manifestOf, service, simulate } from "./simulated.ts"

describe("publishing in a run", () => {
  it.live("brings every version to the engines before anything is generated with it, each once", () =>
    inTemporaryRuns((runs) =>
      Effect.gen(function* () {
        const target = { kind: "vllm", url: "http://engine", transport: "directory", directory: "/shared" } as const
        const records = yield* PublishRecords.make([target])
        const published: Array<number> = []
        const watched: PublishRecords.PublishRecords = {
          ...records,
          whole: (policy, publish) =>
            records.whole(
              policy,
              Effect.tap(publish, () => Effect.sync(() => published.push(policy.version)))
            )
        }
        const { dir, steps } = yield* simulate(manifestOf({ seed: 3 }), runs, service()).pipe(
          Effect.provideService(PublishRecords.PublishRecords, watched)
        )
        // one update a step; the last version is evaluated
        assert.deepStrictEqual(
          published,
          Array.from({ length: steps + 1 }, (_, version) => version)
        )
        const timings = readFileSync(`${dir}/timings.ndjson`, "utf8").trim().split("\n")
        const train = timings.filter((line) => line.includes('"train"'))
        assert.strictEqual(train.length, steps)
        assert.isTrue(train.every((line) => line.includes('"publish":')))
      })
    )
  )
})
