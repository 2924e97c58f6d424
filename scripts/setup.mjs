// Sets up what is missing: node_modules (with the project's own Node 24) and the trainer's virtual environment. No root, no prompt. The second time it only compares stamps.
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const trainer = join(root, "apps/trainer")
const python = join(trainer, ".venv/bin/python")

const stop = (sentence) => {
  console.error(`setup: ${sentence}`)
  process.exit(1)
}
const run = (sentence, command, args, cwd = root) => {
  const { status, error } = spawnSync(command, args, { cwd, stdio: ["ignore", "inherit", "inherit"] })
  if (error || status !== 0) stop(sentence)
}
const digest = (...files) => {
  const hash = createHash("sha256")
  for (const file of files) hash.update(readFileSync(join(root, file)))
  return hash.digest("hex")
}
// a stamp is written last: a set-up that was cut off is done again
const once = (name, key, work) => {
  const stamp = join(root, ".cache/setup", name)
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === key) return
  work()
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, key)
}

once(
  "node",
  `${digest("package-lock.json")} ${existsSync(join(root, "node_modules"))}`.replace("false", "true"),
  () => {
    run("npm could not install the packages; is the registry reachable?", "npm", [
      "ci",
      "--ignore-scripts",
      "--loglevel=error"
    ])
  }
)
if (!existsSync(join(root, "node_modules/effect")))
  run("npm could not install the packages", "npm", ["ci", "--ignore-scripts", "--loglevel=error"])

const base = ["python3.12", "python3.11", "python3"].find(
  (name) =>
    spawnSync(name, ["-c", "import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))"])
      .status === 0
)
if (base === undefined) stop("Python 3.11 or 3.12 with its venv module is needed and was not found on the PATH.")
once("python", digest("apps/trainer/constraints.txt", "apps/trainer/pyproject.toml"), () => {
  const constraints = readFileSync(join(trainer, "constraints.txt"), "utf8")
  const torch = /^torch==\S+/m.exec(constraints)?.[0] ?? stop("apps/trainer/constraints.txt does not pin torch.")
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
  run("the virtual environment could not be made.", base, ["-m", "venv", join(trainer, ".venv")])
  // torch alone and first: its exact version is what keeps pip from another build
  run("pip could not install torch; is the package index reachable?", python, [...pip, torch], trainer)
  run(
    "pip could not install the trainer's packages.",
    python,
    [...pip, "-c", "constraints.txt", "-e", ".[dev,gguf]"],
    trainer
  )
})
console.error("setup: ready")
