// The quickstart: set up what is missing, run the main job, say where the report is. Arguments are passed on to `gradus run`.
import { spawnSync } from "node:child_process"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const run = (command, args) => {
  const { error, signal, status } = spawnSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] })
  if (error) console.error(`quickstart: ${error.message}`)
  if (signal || status !== 0) process.exit(status ?? 130)
}
run(process.execPath, ["scripts/setup.mjs"])
run(join(root, "node_modules/.bin/node"), [
  "apps/cli/bin/gradus.mjs",
  "run",
  "experiments/quickstart/manifest.yaml",
  ...process.argv.slice(2)
])
