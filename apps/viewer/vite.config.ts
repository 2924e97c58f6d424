/** The pages as a static folder: relative addresses, so that it works below any path and from a bundle. */
import { defineConfig } from "vite"

export default defineConfig({
  base: "./",
  build: {
    outDir: "dist/pages",
    emptyOutDir: true,
    target: "es2024",
    chunkSizeWarningLimit: 2000,
    modulePreload: { polyfill: false }
  },
  worker: { format: "es" },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } }
})
