import { defineProject } from "vitest/config"

// small counts of the torture, after everything else: processes that are killed and timed want no trainers of other tests beside them
export default defineProject({
  test: {
    name: "torture",
    include: ["test/**/*.test.ts"],
    maxWorkers: 2,
    testTimeout: 600_000,
    sequence: { groupOrder: 2 }
  }
})
