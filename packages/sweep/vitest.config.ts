import { defineProject } from "vitest/config"

export default defineProject({
  // files share what they import: no test here leaves anything behind in its process
  test: { isolate: false, name: "sweep", include: ["test/**/*.test.ts"], testTimeout: 60_000 }
})
