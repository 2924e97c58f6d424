// `npm run bench:gpu -- --shape S --part trainer|check`: the trainer's bench under its own Python; `--part generator` is the generator's.
import { spawnSync } from "node:child_process"
import { join } from "node:path"

const args = process.argv.slice(2)
const part = args.indexOf("--part")
const generator = part >= 0 && args[part + 1] === "generator"
const rest = generator ? args.toSpliced(part, 2) : args
const python = process.env.GRADUS_PYTHON ?? join("apps/trainer/.venv/bin/python")
const { error, status } = spawnSync(
  python,
  ["-m", generator ? "gradus_trainer.bench_generator" : "gradus_trainer.bench", ...rest],
  {
    stdio: "inherit",
    env: { ...process.env, PYTHONPATH: "apps/trainer/src" }
  }
)
if (error) console.error(`bench:gpu: ${error.message}; run \`npm run setup\` first`)
process.exit(status ?? 1)
