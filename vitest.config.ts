import { defineConfig } from "vitest/config"
import { LongestFirst } from "./scripts/longestFirst.mjs"

export default defineConfig({
  test: {
    projects: ["packages/*", "apps/cli", "apps/server", "apps/viewer", "test", "torture"],
    sequence: { sequencer: LongestFirst }
  }
})
