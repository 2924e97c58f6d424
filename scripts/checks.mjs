// The static checks. None needs what another makes, so two run at a time; what each says comes as one piece under its title.
import { spawn } from "node:child_process"
import { join } from "node:path"

const AT_A_TIME = 2

/** The checks, the longest first. */
const list = (root, bin, python) => {
  const trainer = join(root, "apps/trainer")
  // Python outside the trainer, checked by the trainer's settings
  const outside = ["scripts", "notebooks", "integrations", "test/e2e/readers", "bench/gpu", "experiments"].map(
    (folder) => `../../${folder}`
  )
  const pythons = [".", ...outside, "--config", "pyproject.toml"]
  return [
    ["types and Effect diagnostics", bin("node"), ["scripts/effect-tsc.mjs", "-b"], root],
    ["mypy, strict", python, ["-m", "mypy"], trainer],
    ["knip: unused files, exports and dependencies", bin("knip"), ["--no-config-hints"], root],
    ["generated files", bin("node"), ["scripts/generate.mjs", "--check"], root],
    ["lint, and what packages must not touch", bin("oxlint"), ["--deny-warnings"], root],
    ["format", bin("oxfmt"), ["--check"], root],
    ["boundaries: the arrows between packages", bin("turbo"), ["boundaries"], root],
    ["ruff", python, ["-m", "ruff", "check", ...pythons], trainer],
    ["ruff format", python, ["-m", "ruff", "format", "--check", ...pythons], trainer]
  ]
}

/** Runs a command to its end. Gives whether it went well, and what it said. */
const ended = (command, args, cwd, env) =>
  new Promise((resolve) => {
    const said = []
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] })
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => said.push(bytes))
    child.once("error", ({ message }) => resolve({ good: false, said: message }))
    child.once("close", (code) => resolve({ good: code === 0, said: Buffer.concat(said).toString() }))
  })

/** Runs all checks. Gives their titles, each with whether it passed. */
export const runChecks = async (root, bin, python, env) => {
  const left = list(root, bin, python)
  const results = []
  const work = async () => {
    for (let check = left.shift(); check !== undefined; check = left.shift()) {
      const [title, command, args, cwd] = check
      const { good, said } = await ended(command, args, cwd, env)
      console.log(`\n== ${title}\n${said.trimEnd()}`)
      results.push([title, good])
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, work))
  return results
}
