// `npm run bench:gpu -- --shape S --part check|trainer|generator|step`: the trainer's bench under its own Python.
import { spawnSync } from "node:child_process"
import { join } from "node:path"

const python = process.env.GRADUS_PYTHON ?? join("apps/trainer/.venv/bin/python")
const { error, status } = spawnSync(python, ["-m", "gradus_trainer.bench", ...process.argv.slice(2)], {
  stdio: "inherit",
  env: { ...process.env, PYTHONPATH: "apps/trainer/src" }
})
if (error) console.error(`bench:gpu: ${error.message}; run \`npm run setup\` first`)
process.exit(status ?? 1)
