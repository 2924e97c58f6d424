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

// Python outside the trainer, checked by the trainer's settings
const outside = ["scripts", "notebooks", "integrations", "test/e2e/readers", "bench/gpu"].map(
  (folder) => `../../${folder}`
)
const pythons = [".", ...outside, "--config", "pyproject.toml"]
const checks = [
  ["types and Effect diagnostics", node, ["scripts/effect-tsc.mjs", "-b"]],
  ["lint, and what packages must not touch", bin("oxlint"), ["--deny-warnings"]],
  ["format", bin("oxfmt"), ["--check"]],
  ["boundaries: the arrows between packages", bin("turbo"), ["boundaries"]],
  ["knip: unused files, exports and dependencies", bin("knip"), ["--no-config-hints"]],
  ["generated files", node, ["scripts/generate.mjs", "--check"]],
  ["ruff", python, ["-m", "ruff", "check", ...pythons], trainer],
  ["ruff format", python, ["-m", "ruff", "format", "--check", ...pythons], trainer],
  ["mypy, strict", python, ["-m", "mypy"], trainer]
].map((check) => [check[0], run(...check)])

run("vitest", node, [
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

const broken = checks.filter(([, good]) => !good).map(([title]) => title)
let passed = checks.length - broken.length
let failed = broken.length
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
// the first checks' output is far above by now, and a log may keep only its end
for (const title of broken) console.log(`failed: ${title}`)
console.log(`\n${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
