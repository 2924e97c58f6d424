import { defineProject } from "vitest/config"

// small counts of the torture; processes that are killed and timed want the machine to themselves
export default defineProject({
  test: {
    name: "torture",
    include: ["test/**/*.test.ts"],
    fileParallelism: false,
    testTimeout: 600_000,
    sequence: { groupOrder: 2 }
  }
})
