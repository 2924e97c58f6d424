/** `gradus sweep` and `gradus compare` as their users have them: plans without a model, and two cells with the real trainer. */
import { startRedis } from "@gradus/testing/RedisServer"
import { simulatedManifest } from "@gradus/testing/SimulatedManifest"
import { assert, describe, it } from "@effect/vitest"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import { onTestFinished } from "vitest"
import { directory, gradus, lastLine, root, startProgram, until } from "../gradus.ts"

const smoke = join(root, "experiments/studies/curriculum/smoke.sweep.yaml")

/** A sweep over the tiny manifest in a directory of its own. */
const sweepFile = (text: string): { readonly file: string; readonly write: (text: string) => void } => {
  const place = directory()
  const base = relative(place, join(root, "test/e2e/tiny.yaml"))
  const file = join(place, "sweep.yaml")
  const write = (own: string) => writeFileSync(file, `version: 1\nname: s\nbase: ${base}\n${own}`)
  write(text)
  return { file, write }
}

const grid = "axes:\n  - grid: {curriculum.sigma: [0.1, 0.2]}\n"

describe("gradus sweep, without a model", () => {
  it("plans once, refuses another plan under the same name, and extends it", async () => {
    const runs = directory()
    const { file, write } = sweepFile(`seeds: [1, 2]\n${grid}`)
    const first = lastLine(await gradus("sweep", "plan", file, "--runs", runs, "--json"))
    assert.deepStrictEqual([first.cells, first.shared], [4, 4])
    assert.deepStrictEqual(lastLine(await gradus("sweep", "plan", file, "--runs", runs, "--json")), first)
    write(`seeds: [1, 2, 3]\n${grid}`)
    const changed = await gradus("sweep", "status", file, "--runs", runs)
    assert.strictEqual(changed.code, 2)
    assert.include(changed.stderr, "adds 2 cells to the plan of s and takes 0 away")
    const extended = lastLine(await gradus("sweep", "extend", file, "--runs", runs, "--json"))
    assert.deepInclude(extended, { cells: 6, added: 2, extends: first.digest })
    assert.deepInclude(lastLine(await gradus("sweep", "status", file, "--runs", runs, "--json")), {
      waiting: 6,
      open: []
    })
    write(`seeds: [2, 3]\n${grid}`)
    assert.strictEqual((await gradus("sweep", "extend", file, "--runs", runs)).code, 2)
  })

  it("gives the study's plans the digests that its page states", async () => {
    const page = readFileSync(join(root, "docs/studies/curriculum.md"), "utf8")
    const runs = directory()
    for (const name of ["quickstart", "hard", "rest", "thresholds", "smollm2-rates", "smollm2", "smoke"]) {
      const stated = new RegExp(`^\\| ${name} +\\| (\\d+) +\\| (\\d+) +\\| \\x60([0-9a-f]{64})\\x60 \\|$`, "m").exec(
        page
      )
      const file = join(root, `experiments/studies/curriculum/${name}.sweep.yaml`)
      const { cells, digest, shared } = lastLine(await gradus("sweep", "plan", file, "--runs", runs, "--json"))
      assert.deepStrictEqual([String(cells), String(shared), digest], stated?.slice(1))
    }
  })

  it("names the place of a mistake", async () => {
    const { file } = sweepFile("seeds: [1, 1]\naxes: [{grid: {seed: [1]}}]\n")
    const ended = await gradus("sweep", "plan", file, "--runs", directory())
    assert.strictEqual(ended.code, 2)
    assert.include(ended.stderr, `${file}:4:12 seeds[1]: seed 1 is listed twice`)
    assert.include(ended.stderr, `${file}:5:16 axes[0].grid.seed: seeds are an axis of their own`)
  })

  it("reports on no set that nobody reads, and prints no array without tasks", async () => {
    const { file, write } = sweepFile(`seeds: [1]\n${grid}metric: {set: nonsense}\n`)
    const runs = directory()
    for (const command of ["plan", "report"]) {
      const ended = await gradus("sweep", command, file, "--runs", runs)
      assert.strictEqual(ended.code, 2)
      assert.include(ended.stderr, `${file}:7:15 metric.set: \`nonsense\` is no evaluation set of the questions`)
    }
    write(`seeds: [1]\n${grid}`)
    for (const flags of [
      ["--tasks", "0"],
      ["--tasks", "-1"],
      ["--tasks", "2", "--at-once", "0"]
    ]) {
      const ended = await gradus("sweep", "slurm", file, "--runs", runs, ...flags)
      assert.strictEqual(ended.code, 2)
      assert.include(ended.stderr, "at least 1")
      assert.notInclude(ended.stdout, "--array")
    }
  })
})

describe("gradus sweep on hosts that share a Redis", () => {
  const simulated = join(root, "torture/simulatedGradus.ts")

  it("has one owner a cell; the cells of a host that dies go on elsewhere when its lease has run out", async () => {
    const server = await startRedis()
    onTestFinished(() => server.stop())
    const place = directory()
    writeFileSync(join(place, "base.yaml"), simulatedManifest())
    const file = join(place, "sweep.yaml")
    writeFileSync(file, `version: 1\nname: s\nbase: base.yaml\nseeds: [1, 2, 3]\n${grid}`)
    const runs = directory()
    // the address stands in the environment, as a host's own would
    const host = (lease = 6) =>
      startProgram(simulated, ["sweep", "run", file, "--runs", runs, "--lease", String(lease), "--json"], {
        GRADUS_REDIS: server.url
      })
    const cells = () => readdirSync(runs).filter((name) => name.startsWith("cell--"))
    const events = (cell: string, tag: string): number => {
      const journal = join(runs, cell, "events.ndjson")
      return existsSync(journal) ? readFileSync(journal, "utf8").split(`"_tag":"${tag}"`).length - 1 : 0
    }
    const [first, second] = [host(2), host()]
    await until("a cell trains", () => cells().some((cell) => events(cell, "step_generated") > 0))
    first.child.kill("SIGKILL")
    await first.ended
    const ended = await second.ended
    assert.strictEqual(ended.code, 0, ended.stderr)
    const done = lastLine(ended)
    assert.deepInclude(done, { failed: 0, stopped: 0 })
    assert.strictEqual(cells().length, 6)
    for (const cell of cells()) assert.deepStrictEqual([cell, events(cell, "run_finished")], [cell, 1])
    const whole = directory()
    await startProgram(simulated, ["sweep", "run", file, "--runs", whole, "--json"]).ended
    const results = (at: string) =>
      readdirSync(join(at, "sweeps/s/results"))
        .toSorted()
        .map((name) => JSON.parse(readFileSync(join(at, "sweeps/s/results", name), "utf8")).digest)
    assert.deepStrictEqual(results(runs), results(whole))
    assert.deepInclude(lastLine(await host().ended), { ran: 0, reused: 6, failed: 0 })
  })
})

describe("gradus sweep, with the real trainer", () => {
  it("runs two cells over one trainer, one warm-up and one profile, to the digests of runs by themselves; verifies, reports, compares", async () => {
    const runs = directory()
    const done = lastLine(await gradus("sweep", "run", smoke, "--runs", runs, "--json"))
    assert.deepInclude(done, { ran: 2, reused: 0, failed: 0, stopped: 0 })
    assert.deepInclude(lastLine(await gradus("sweep", "run", smoke, "--runs", runs, "--json")), { ran: 0, reused: 2 })
    assert.deepStrictEqual(readdirSync(join(runs, ".artifacts/warmup")).length, 1)
    const results = join(runs, "sweeps/curriculum-smoke/results")
    const digests = readdirSync(results).map((name) => JSON.parse(readFileSync(join(results, name), "utf8")).digest)
    const alone = lastLine(
      await gradus(
        "run",
        join(root, "experiments/studies/curriculum/smoke.yaml"),
        "--runs",
        directory(),
        "--json",
        "-s",
        "seed=1",
        "-s",
        "curriculum={batcher: uniform}"
      )
    )
    assert.deepInclude(digests, alone.digest)
    const verified = lastLine(await gradus("sweep", "verify", smoke, "--runs", runs, "--json"))
    assert.deepInclude(verified, { checked: 2, changed: 0 })
    assert.include(verified.rerun.stages, "train")
    const weights = join(runs, ".artifacts/policy", alone.digest.weights, "model.safetensors")
    const bytes = readFileSync(weights)
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
    writeFileSync(weights, bytes)
    const altered = await gradus("sweep", "verify", smoke, "--runs", runs, "--no-rerun", "--json")
    assert.strictEqual(altered.code, 1)
    const { changed, changes, checked, missing } = JSON.parse(altered.stdout)
    assert.deepStrictEqual([checked, missing, changed, changes[0].what], [2, 0, 1, "weights artifact"])
    const report = lastLine(await gradus("sweep", "report", smoke, "--runs", runs, "--json"))
    assert.isTrue(existsSync(report.report))
    assert.strictEqual(report.differences[0].equalTokens.interval, null)
    const hard = lastLine(await gradus("sweep", "report", smoke, "--runs", runs, "--metric", "hard", "--json"))
    assert.deepStrictEqual([hard.metric, hard.differences[0].readings], ["hard", 2])
    const said = await gradus("sweep", "report", smoke, "--runs", runs, "--metric", "hard")
    assert.match(said.stdout, /at equal tokens .* of 1 pairs; two readings: a straight line between them\n/)
    assert.isTrue(existsSync(hard.report) && hard.report !== report.report)
    const cells = readdirSync(runs).filter((name) => name.startsWith("cell--"))
    assert.deepStrictEqual(readdirSync(join(runs, ".trainers")), ["0"])
    // the warm-up stays for others; what was kept to go on with finished cells is gone
    assert.match(readdirSync(join(runs, ".trainers/0/runs")).join(), /^warmup-[0-9a-f]{16}$/)
    const html = join(directory(), "page")
    const compared = lastLine(
      await gradus("compare", ...cells.map((name) => join(runs, name)), "--html", html, "--json")
    )
    assert.include(readFileSync(join(html, "report.html"), "utf8"), "Gradus sweep report")
    assert.strictEqual(compared.questions[1].difference.questions, 12)
    assert.strictEqual(compared.differences[0].equalUpdates.pairs, 1)
  })
})
