/** `gradus top` and shell completions as their users have them: on a real pseudo-terminal, off one, and in a real bash. */
import { assert, describe, it } from "@effect/vitest"
import { simulatedManifest } from "@gradus/testing/SimulatedManifest"
import { execFileSync } from "node:child_process"
import { readdirSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { directory, gradus, lastLine, root, runs as goesOn, startProgram } from "../gradus.ts"
import { write } from "../rows.ts"
import { onTerminal } from "./onTerminal.ts"

const bin = join(root, "apps/cli/bin/gradus.mjs")
const simulated = join(root, "torture/simulatedGradus.ts")
const cache = { NODE_COMPILE_CACHE: join(root, ".cache/compile") }

const manifest = (steps: number) =>
  write(
    "m.yaml",
    simulatedManifest({
      name: "watched",
      questions: "train: 160, heldout: 20, hard: 8",
      train: `steps: ${steps}, prompts_per_step: 4, samples_per_prompt: 4`
    })
  )

/** A run that takes its time, in a process of its own. */
const slowRun = (runs: string, steps: number, slow: number) =>
  startProgram(simulated, ["run", manifest(steps), "--runs", runs, "--no-report", "--json"], {
    ...cache,
    GRADUS_SLOW: String(slow)
  })

/** Every file of a directory with its size and time. */
const filesOf = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name))
    .toSorted()
    .map((path) => `${path} ${statSync(path).size} ${statSync(path).mtimeMs}`)

describe("gradus top on a terminal", () => {
  it("follows a live run from another process, in place, and leaves at q while the run goes on", async () => {
    const runs = directory()
    const run = slowRun(runs, 99, 500)
    await run.said("train 1/")
    const watched = onTerminal([process.execPath, bin, "top", "--runs", runs, "--every", "0.2"])
    await watched.shows(/^steps +\d+\/\d+ [█░]+, [\d.]+ steps\/s, \d+:\d\d left$/)
    const before = watched.screen()
    assert.match(before[0] ?? "", /^watched--[0-9a-f]{12} \(simulation\): last written 0:\d\d ago$/)
    assert.include(before[2], "train …")
    assert.match(before[5] ?? "", /^pass rate {2}0\.\d{3} measured, 0\.\d{3} drawn, 0\.\d{3} target$/)
    assert.match(before[6] ?? "", /^accuracy {3}heldout [\d.]+ % -> [\d.]+ % \(step \d+\)$/)
    const seen = Number(/^steps +(\d+)/.exec(before[3] ?? "")?.[1])
    const later = Array.from({ length: 40 }, (_, i) => seen + 2 + i).join("|")
    await watched.shows(new RegExp(`^steps +(?:${later})/\\d+ `))
    // the same lines again, and none more: each frame stands in the place of the last
    assert.strictEqual(watched.screen().length, before.length)
    assert.strictEqual(watched.screen().at(-1), "q leaves")
    watched.type("q")
    assert.strictEqual(await watched.code, 0)
    const bytes = watched.bytes()
    assert.notInclude(bytes, "\u001B[2J")
    assert.isAbove(bytes.lastIndexOf("\u001B[?25h"), bytes.lastIndexOf("\u001B[?25l"))
    assert.isTrue(goesOn(run.child.pid ?? 0))
    run.child.kill("SIGKILL")
    await run.ended
  })

  it("ends with the run that it watches, its last frame standing, and leaves at Ctrl-C before", async () => {
    const runs = directory()
    const run = slowRun(runs, 20, 600)
    await run.said("train 1/")
    const watched = onTerminal([process.execPath, bin, "top", "--runs", runs, "--every", "0.2"])
    const left = onTerminal([process.execPath, bin, "top", "--runs", runs])
    await left.shows(/^q leaves$/)
    left.type("\u0003")
    assert.strictEqual(await left.code, 0)
    assert.strictEqual(await watched.code, 0)
    assert.match(watched.screen()[0] ?? "", /: finished$/)
    assert.match(watched.screen()[3] ?? "", /^steps {6}20\/20 █{24}, [\d.]+ steps\/s$/)
    assert.strictEqual(watched.screen().filter((line) => line.startsWith("steps")).length, 1)
    await run.ended
  })

  it("is no wider and no higher than the terminal", async () => {
    const runs = directory()
    lastLine(await slowRun(runs, 3, 0).ended)
    const narrow = onTerminal([process.execPath, bin, "top", "--runs", runs], {}, [40, 24])
    assert.strictEqual(await narrow.code, 0)
    const wide = onTerminal([process.execPath, bin, "top", "--runs", runs])
    assert.strictEqual(await wide.code, 0)
    assert.strictEqual(narrow.screen().length, wide.screen().length)
    assert.deepStrictEqual(
      narrow.screen().map((line) => line.slice(0, 20)),
      wide.screen().map((line) => line.slice(0, 20))
    )
  })
})

describe("gradus run on a terminal", () => {
  it.each([120, 60])(
    "rewrites one line a stage: rate, time left, reward, pass rate against target, the last reading; %i columns",
    async (columns) => {
      const environment = { ...cache, GRADUS_SLOW: "400" }
      const command = [process.execPath, simulated, "run", manifest(6), "--runs", directory(), "--no-report"]
      const run = onTerminal(command, environment, [columns, 30])
      await run.shows(/^train [2-5]\/6 steps, [\d.]+ steps\/s, \d:\d\d left, reward 0\.\d{3}/)
      assert.strictEqual(await run.code, 0)
      const trained = run.screen().filter((line) => line.startsWith("train ") && !line.startsWith("train:"))
      assert.strictEqual(trained.length, 1)
      const whole =
        /^train 6\/6 steps, [\d.]+ steps\/s, reward \d\.\d{3}, pass rate \d\.\d\d \(target 0\.00\), heldout \d\.\d{3}$/
      assert.match(trained[0] ?? "", columns === 120 ? whole : /^train 6\/6 steps, .{1,41}…$/)
    }
  )
})

describe("gradus top off a terminal", () => {
  it("writes plain lines, one a change, to the end of the run", async () => {
    const runs = directory()
    const run = slowRun(runs, 6, 900)
    await run.said("train 1/6")
    const { code, stderr, stdout } = await gradus("top", "--runs", runs, "--every", "0.2")
    assert.deepStrictEqual([code, stderr], [0, ""])
    // oxlint-disable-next-line no-control-regex -- these are what may not be there
    assert.notMatch(stdout, /[\u0000-\u0009\u000B-\u001F]/)
    const lines = stdout.trimEnd().split("\n")
    assert.isAbove(lines.length, 1)
    assert.strictEqual(new Set(lines).size, lines.length)
    for (const line of lines.slice(0, -1))
      assert.match(line, /^(train|evaluate_last|report), \d\/6 steps, .*pass rate 0\.\d\d \(target 0\.\d\d\)/)
    assert.match(lines.at(-1) ?? "", /^finished, 6\/6 steps, [\d.]+ steps\/s, reward 0\.\d{3}, .*heldout [\d.]+ %/)
    await run.ended
  })

  it("shows a finished run once, as its summary has it, and writes nothing into its directory", async () => {
    const runs = directory()
    const summary = lastLine(await slowRun(runs, 4, 0).ended)
    const before = filesOf(runs)
    const { code, stdout } = await gradus("top", summary.dir, "--once")
    assert.strictEqual(code, 0)
    const { first, last } = summary.eval.heldout
    const share = (value: number): string => `${(100 * value).toFixed(1)} %`
    assert.include(stdout, `heldout ${share(first)} -> ${share(last)} (step 4)`)
    const standing = lastLine(await gradus("top", dirname(join(summary.dir, "x")), "--json"))
    assert.deepInclude(standing, { finished: true, step: 4, steps: 4, attempt: 1, simulated: true })
    assert.strictEqual(standing.reward.length, 4)
    assert.deepStrictEqual(filesOf(runs), before)
  })

  it("says what is wrong with a place without a run", async () => {
    const empty = directory()
    for (const args of [[empty], ["--runs", empty], [join(empty, "none")]]) {
      const { code, stderr } = await gradus("top", ...args)
      assert.strictEqual(code, 2)
      assert.include(stderr, "holds no run")
    }
  })
})

describe("shell completions", () => {
  /** What bash offers for a line, of which the last word is being written. */
  const offered = (line: string): ReadonlyArray<string> =>
    execFileSync(
      "bash",
      [
        "--norc",
        "-c",
        `eval "$("$0" "$1" --completions bash)"
read -ra COMP_WORDS <<< "$2"; [[ "$2" == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); COMP_LINE="$2"; COMP_POINT=\${#2}
_gradus gradus "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "\${COMPREPLY[@]}"`,
        process.execPath,
        bin,
        line
      ],
      { encoding: "utf8" }
    )
      .split("\n")
      .map((word) => word.trim())
      .filter((word) => word !== "")

  it("offer commands, subcommands, flags and the values of flags in bash", () => {
    assert.includeMembers([...offered("gradus ")], ["run", "sweep", "top", "view", "doctor"])
    assert.deepStrictEqual(offered("gradus to"), ["top"])
    assert.deepStrictEqual([...offered("gradus sweep ")].toSorted(), [
      "extend",
      "plan",
      "report",
      "run",
      "slurm",
      "status",
      "verify"
    ])
    assert.deepStrictEqual(offered("gradus top --o"), ["--once"])
    assert.deepStrictEqual(offered("gradus sweep run --retry"), ["--retry-failed"])
    assert.deepStrictEqual(offered("gradus filter --kind pe"), ["percent"])
  })

  it("are bash, zsh or fish", async () => {
    const scripts = await Promise.all(["bash", "zsh", "fish"].map((shell) => gradus("--completions", shell)))
    assert.deepStrictEqual(
      scripts.map(({ code }) => code),
      [0, 0, 0]
    )
    const [, zsh, fish] = scripts.map(({ stdout }) => stdout)
    assert.match(zsh ?? "", /^#compdef gradus|compdef _gradus gradus/m)
    assert.match(fish ?? "", /^complete -c gradus /m)
  })
})
