import { defineProject } from "vitest/config"

// whole runs with real trainers: one after the other, after everything else
export default defineProject({
  test: {
    name: "e2e",
    include: ["**/*.test.ts"],
    fileParallelism: false,
    testTimeout: 600_000,
    sequence: { groupOrder: 1 }
  }
})
