// All checks and tests, TypeScript and Python, after setting up what is missing. Ends with `N passed, N failed`.
import { spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, rmSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const bin = (name) => join(root, "node_modules/.bin", name)
const env = {
  ...process.env,
  PATH: `${join(root, "node_modules/.bin")}:${process.env.PATH}`,
  TURBO_TELEMETRY_DISABLED: "1",
  DO_NOT_TRACK: "1"
}
const run = (title, command, args, cwd = root) => {
  console.log(`\n== ${title}`)
  return spawnSync(command, args, { cwd, env, stdio: ["ignore", "inherit", "inherit"] }).status === 0
}
if (!run("set-up", process.execPath, ["scripts/setup.mjs"])) {
  console.log("0 passed, 1 failed")
  process.exit(1)
}
const node = bin("node")
const trainer = join(root, "apps/trainer")
const python = join(trainer, ".venv/bin/python")
const out = join(root, ".cache/test")
rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })

const checks = [
  ["types and Effect diagnostics", node, ["scripts/effect-tsc.mjs", "-b"]],
  ["lint, and what packages must not touch", bin("oxlint"), ["--deny-warnings"]],
  ["format", bin("oxfmt"), ["--check"]],
  ["boundaries: the arrows between packages", bin("turbo"), ["boundaries"]],
  ["knip: unused files, exports and dependencies", bin("knip"), ["--no-config-hints"]],
  ["generated files", node, ["scripts/generate.mjs", "--check"]],
  ["ruff", python, ["-m", "ruff", "check"], trainer],
  ["ruff format", python, ["-m", "ruff", "format", "--check"], trainer],
  ["mypy, strict", python, ["-m", "mypy"], trainer]
].map((check) => run(...check))

run("vitest", node, [
  join(root, "node_modules/vitest/vitest.mjs"),
  "run",
  "--reporter=dot",
  "--reporter=json",
  `--outputFile.json=${out}/vitest.json`
])
run("pytest", python, ["-m", "pytest", "-q", `--junitxml=${out}/pytest.xml`], trainer)

let passed = checks.filter(Boolean).length
let failed = checks.length - passed
const count = (title, read) => {
  try {
    const [good, bad] = read()
    passed += good
    failed += bad
    if (good + bad === 0) throw new Error("no test ran")
  } catch (cause) {
    console.error(`${title} left no result: ${cause.message}`)
    failed += 1
  }
}
count("vitest", () => {
  const result = JSON.parse(readFileSync(join(out, "vitest.json"), "utf8"))
  const brokenFiles = result.testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.length === 0
  ).length
  return [result.numPassedTests, result.numFailedTests + brokenFiles]
})
count("pytest", () => {
  const suite = /<testsuite [^>]*>/.exec(readFileSync(join(out, "pytest.xml"), "utf8"))[0]
  const number = (name) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(suite)[1])
  const bad = number("errors") + number("failures")
  return [number("tests") - bad - number("skipped"), bad]
})
console.log(`\n${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
