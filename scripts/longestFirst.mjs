// The order of test files: those that take longest begin first, so that at the end no worker waits for one of them. vitest knows that from the run
// before; a clean clone has none, and there it goes by the size of files, by which the longest come last.
import { existsSync } from "node:fs"
import { join } from "node:path"
import { BaseSequencer } from "vitest/node"

/** Files of more than twenty seconds, the longest first. */
const LONG = [
  "test/e2e/run.test.ts",
  "test/e2e/judge.test.ts",
  "test/e2e/outage.test.ts",
  "test/e2e/faultyNetwork.test.ts",
  "test/e2e/rise.test.ts",
  "test/e2e/worker.test.ts",
  "test/e2e/sweep.test.ts",
  "test/e2e/notebooks.test.ts",
  "test/e2e/tracking.test.ts",
  "test/e2e/hangs.test.ts",
  "test/e2e/commands.test.ts",
  "test/e2e/shards.test.ts",
  "test/e2e/top.test.ts",
  "test/browser/sweep.test.ts",
  "packages/experiment/test/GateAndRefresh.test.ts"
]

export class LongestFirst extends BaseSequencer {
  async sort(files) {
    const { root } = this.ctx.config
    const places = new Map(LONG.map((file, place) => [join(root, file), place]))
    for (const file of places.keys())
      if (!existsSync(file)) throw new Error(`scripts/longestFirst.mjs names a file that is not there: ${file}`)
    const group = ({ project }) => project.config.sequence.groupOrder
    const place = ({ moduleId }) => places.get(moduleId) ?? LONG.length
    // oxlint-disable-next-line unicorn/no-array-sort -- a method of vitest's, of an array of files that is given back
    const sorted = await super.sort(files)
    // stable: files of one place stay in vitest's own order
    return sorted.toSorted((a, b) => group(a) - group(b) || place(a) - place(b))
  }
}
