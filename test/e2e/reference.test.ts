/** A KL penalty to the weights that training started from: the trainer holds them in a run of their own and scores every row under them. */
import { assert, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { directory, gradus, lastLine, root } from "../gradus.ts"

it("measures no distance before the first update and some after it", async () => {
  const args = ["-s", "train.loss.kl_coef=0.05", "-s", "train.learning_rate.peak=0.003", "-s", "evaluate.every=0"]
  const summary = lastLine(
    await gradus("run", join(root, "test/e2e/tiny.yaml"), ...args, "--runs", directory(), "--no-report", "--json")
  )
  const events: ReadonlyArray<any> = readFileSync(join(summary.dir, "events.ndjson"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
  const distances = events.flatMap((event) => (event._tag === "update_applied" ? [event.metrics.kl] : []))
  assert.strictEqual(distances.length, 6)
  assert.closeTo(distances[0], 0, 1e-6)
  for (const later of distances.slice(1)) assert.isAbove(later, 1e-5)
})
