import { defineProject } from "vitest/config"

// whole runs with real trainers, after everything else; two files at a time, each trainer with one thread
export default defineProject({
  test: {
    name: "e2e",
    include: ["**/*.test.ts"],
    maxWorkers: 2,
    testTimeout: 600_000,
    hookTimeout: 120_000,
    sequence: { groupOrder: 1 }
  }
})
