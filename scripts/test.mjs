// All checks and tests, TypeScript and Python, after setting up what is missing. Ends with what failed, and `N passed, N failed`.
import { spawnSync } from "node:child_process"
import { mkdirSync, rmSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { runChecks } from "./checks.mjs"
import { ofPytest, ofVitest, resultOf } from "./testResults.mjs"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const bin = (name) => join(root, "node_modules/.bin", name)
const env = {
  ...process.env,
  PATH: `${join(root, "node_modules/.bin")}:${process.env.PATH}`,
  TURBO_TELEMETRY_DISABLED: "1",
  DO_NOT_TRACK: "1",
  // a log is read as text: colours of thousands of dots would be most of it
  ...(process.stdout.isTTY ? {} : { NO_COLOR: "1" })
}
if (!process.stdout.isTTY) delete env.FORCE_COLOR
const started = performance.now()
const stage = (title) =>
  console.log(`\n== ${title} (${Math.round((performance.now() - started) / 1000)} s since the start)`)
const run = (title, command, args, cwd = root) => {
  stage(title)
  return spawnSync(command, args, { cwd, env, stdio: ["ignore", "inherit", "inherit"] }).status === 0
}
if (!run("set-up", process.execPath, ["scripts/setup.mjs"])) {
  console.log("0 passed, 1 failed")
  process.exit(1)
}
const trainer = join(root, "apps/trainer")
const python = join(trainer, ".venv/bin/python")
const out = join(root, ".cache/test")
rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })

stage("checks")
const checks = await runChecks(root, bin, python, env)

run("vitest", bin("node"), [
  join(root, "node_modules/vitest/vitest.mjs"),
  "run",
  // as many files at a time as the smallest machine that runs all of them has cores; vitest's own choice is one less
  "--maxWorkers=2",
  "--reporter=dot",
  "--reporter=json",
  `--outputFile.json=${out}/vitest.json`
])
// a file stays together: what it compiles or starts once is for all of its tests
const workers = ["-n", "2", "--dist", "loadfile"]
run("pytest", python, ["-m", "pytest", "-q", "-rs", ...workers, `--junitxml=${out}/pytest.xml`], trainer)

const broken = checks.filter(([, good]) => !good).map(([name]) => ({ name, message: "see its output above" }))
const results = [
  { passed: checks.length - broken.length, failures: broken },
  resultOf("vitest", join(out, "vitest.json"), (text) => ofVitest(text, root)),
  resultOf("pytest", join(out, "pytest.xml"), ofPytest)
]
const failures = results.flatMap((result) => result.failures)
const passed = results.reduce((sum, result) => sum + result.passed, 0)
stage("end")
// their own output is far above by now, and a log may keep only its end
for (const { message, name } of failures) console.log(`failed: ${name}\n    ${message}`)
console.log(`\n${passed} passed, ${failures.length} failed`)
process.exit(failures.length === 0 ? 0 : 1)
