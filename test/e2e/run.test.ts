/** The main job from the command line, whole and cut: every part is the real one. */
import { assert, describe, it } from "@effect/vitest"
import { createHash } from "node:crypto"
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { beforeAll } from "vitest"
import { directory, type Ended, gradus, lastLine, root, runs, start, until } from "../gradus.ts"

const manifest = join(root, "test/e2e/tiny.yaml")
const sha256 = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex")
const ndjson = (file: string): ReadonlyArray<any> =>
  readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))

/** The digest of each file of a folder. */
const contents = (folder: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [file.slice(folder.length + 1), sha256(file)])
  )

/** Drawing a report takes longer than the run, and one is enough to be looked at. */
const plain = ["--no-report", "--json"]

/** What an uninterrupted run prints; the other tests must get its digests. */
let whole: any
let wholeRuns: string

beforeAll(async () => {
  wholeRuns = join(root, ".cache/e2e/whole")
  rmSync(wholeRuns, { recursive: true, force: true })
  whole = lastLine(await gradus("run", manifest, "--runs", wholeRuns, "--json"))
}, 600_000)

describe("gradus run", () => {
  it("prints the summary that other programs read, and writes the files that the design names", () => {
    assert.deepStrictEqual(Object.keys(whole), ["run", "dir", "seconds", "steps", "eval", "digest"])
    assert.match(whole.run, /^tiny--[0-9a-f]{12}$/)
    assert.strictEqual(whole.steps, 6)
    assert.sameMembers(Object.keys(whole.eval), ["heldout", "hard"])
    for (const { first, last } of Object.values<any>(whole.eval))
      for (const accuracy of [first, last]) assert.isTrue(accuracy >= 0 && accuracy <= 1)
    const names = ["manifest.yaml", "resolved.json", "lineage.json", "events.ndjson", "plan.parquet", "profile.parquet"]
    for (const name of [...names, "metrics.ndjson", "timings.ndjson", "report.html", "steps/000006/rollouts.parquet"])
      assert.isTrue(existsSync(join(whole.dir, name)), name)
    assert.strictEqual(whole.digest.metrics, sha256(join(whole.dir, "metrics.ndjson")))
  })

  it("taught the policy something: weights changed, and every update that was generated was applied once", () => {
    const events = ndjson(join(whole.dir, "events.ndjson"))
    const applied = events.filter((event) => event._tag === "update_applied")
    const generated = events.filter((event) => event._tag === "step_generated").flatMap((event) => event.updates)
    assert.isAbove(applied.length, 0)
    assert.deepStrictEqual(
      applied.map(({ digest, update }) => ({ update, digest })),
      generated
    )
    const warmup = events.find((event) => event._tag === "stage_finished" && event.stage === "warmup")
    assert.notStrictEqual(whole.digest.weights, warmup.weights)
  })

  it("does nothing the second time and prints the same", async () => {
    const before = sha256(join(whole.dir, "events.ndjson"))
    const again = await gradus("run", manifest, "--runs", wholeRuns, "--json")
    assert.deepStrictEqual(lastLine(again), whole)
    assert.include(again.stderr, "is finished")
    assert.strictEqual(sha256(join(whole.dir, "events.ndjson")), before)
  })

  it("gives the same bytes again in another directory, and other ones for another seed", async () => {
    const other = directory()
    const again = lastLine(await gradus("run", manifest, "--runs", other, ...plain))
    assert.deepStrictEqual(again.digest, whole.digest)
    assert.deepStrictEqual(again.eval, whole.eval)
    const report = join(again.dir, "report.html")
    assert.isFalse(existsSync(report))
    // the same command without the flag does nothing but draw it
    assert.deepStrictEqual(lastLine(await gradus("run", manifest, "--runs", other, "--json")), again)
    assert.isTrue(existsSync(report))
    const seeded = lastLine(await gradus("run", manifest, "-s", "seed=1", "--runs", other, ...plain))
    assert.notStrictEqual(seeded.run, again.run)
    assert.notStrictEqual(seeded.digest.weights, whole.digest.weights)
    assert.notStrictEqual(seeded.digest.plan, whole.digest.plan)
  })

  it("shares the warm-up and the profile with a run that differs only in training", async () => {
    const runsHere = directory()
    const first = lastLine(await gradus("profile", manifest, "--runs", runsHere, "--json"))
    const again = lastLine(await gradus("profile", manifest, "--runs", runsHere, "--json"))
    const samples = first.questions * first.samples
    assert.deepInclude(first, { asked: samples, reused: 0 })
    assert.deepStrictEqual({ ...again, seconds: 0 }, { ...first, asked: 0, reused: samples, seconds: 0 })
    assert.isAbove(first.seconds, 0)
    const other = lastLine(await gradus("run", manifest, "-s", "train.advantage=rloo", "--runs", runsHere, ...plain))
    const stages = ndjson(join(other.dir, "events.ndjson")).filter((event) => event._tag === "stage_finished")
    const reused = Object.fromEntries(stages.map(({ reused: was, stage }) => [stage, was]))
    assert.deepInclude(reused, { warmup: true, profile: true, train: false })
    assert.strictEqual(other.digest.plan, whole.digest.plan)
    assert.notStrictEqual(other.digest.weights, whole.digest.weights)
  })

  it("draws the report again from the run directory alone", async () => {
    const report = join(whole.dir, "report.html")
    const before = readFileSync(report, "utf8")
    rmSync(report)
    const ended = await gradus("report", whole.dir, "--json")
    assert.strictEqual(lastLine(ended).report, report)
    assert.strictEqual(readFileSync(report, "utf8"), before)
    assert.notMatch(before, /(src|href)="https?:/)
  })

  it("refuses to go on with a run of another manifest", async () => {
    const resolved = join(whole.dir, "resolved.json")
    const before = readFileSync(resolved, "utf8")
    writeFileSync(resolved, before.replace(/"digest": "[0-9a-f]{64}"/, `"digest": "${"0".repeat(64)}"`))
    const refused = await gradus("run", manifest, "--runs", wholeRuns)
    writeFileSync(resolved, before)
    assert.strictEqual(refused.code, 2)
    assert.include(refused.stderr, whole.dir)
  })

  it("refuses to resume a run whose stored manifest was edited, names the field, and changes nothing", async () => {
    const copy = join(directory(), whole.run)
    cpSync(whole.dir, copy, { recursive: true })
    const resolved = join(copy, "resolved.json")
    const before = readFileSync(resolved, "utf8")
    for (const [field, text, edited] of [
      ["seed", /\n    "seed": 0,/, '\n    "seed": 1,'],
      ["train.steps", /"steps": 6,/, '"steps": 12,']
    ] as const) {
      writeFileSync(resolved, before.replace(text, edited))
      const there = contents(copy)
      assert.notStrictEqual(there["resolved.json"], sha256(join(whole.dir, "resolved.json")))
      const refused = await gradus("resume", copy, ...plain)
      assert.strictEqual(refused.code, 2, refused.stderr)
      assert.include(refused.stderr, `another ${field};`)
      assert.deepStrictEqual(contents(copy), there)
    }
  })
})

/** A directory of runs that has the warm-up of the whole run: what is cut later need not wait for it again. */
const warmed = (): string => {
  const runsHere = directory()
  for (const stage of ["warmup", "policy"])
    cpSync(join(wholeRuns, ".artifacts", stage), join(runsHere, ".artifacts", stage), { recursive: true })
  return runsHere
}

describe("a run that is cut", () => {
  const cutAt = async (
    text: string,
    signal: NodeJS.Signals
  ): Promise<{ readonly runsHere: string; readonly ended: Ended }> => {
    const runsHere = text.startsWith("warm-up") ? directory() : warmed()
    const first = start(["run", manifest, "--runs", runsHere, ...plain])
    await first.said(text)
    first.child.kill(signal)
    return { runsHere, ended: await first.ended }
  }

  it.each(["warm-up 25/", "profile 16/", "train 1/", "evaluate after 1/"])(
    "by kill -9 at `%s` goes on with the same command to the same bytes",
    async (text) => {
      const { ended, runsHere } = await cutAt(text, "SIGKILL")
      assert.strictEqual(ended.signal, "SIGKILL")
      const resumed = lastLine(await gradus("run", manifest, "--runs", runsHere, ...plain))
      assert.deepStrictEqual(resumed.digest, whole.digest)
      assert.deepStrictEqual(resumed.eval, whole.eval)
    }
  )

  it("draws by what it learnt as if it had not been cut, where the batcher learns from outcomes", async () => {
    const adaptive = ["-s", 'curriculum={"batcher":"adarft"}', ...plain]
    const runsHere = warmed()
    const cut = start(["run", manifest, "--runs", runsHere, ...adaptive])
    await cut.said("train 1/")
    cut.child.kill("SIGKILL")
    await cut.ended
    const resumed = lastLine(await gradus("run", manifest, "--runs", runsHere, ...adaptive))
    const uncut = lastLine(await gradus("run", manifest, "--runs", wholeRuns, ...adaptive))
    assert.deepStrictEqual(resumed.digest, uncut.digest)
    assert.notStrictEqual(uncut.digest.plan, whole.digest.plan)
    assert.isTrue(existsSync(join(uncut.dir, "plan.parquet")))
  })

  it("by Ctrl-C says how to go on, exits with 130, and goes on by `gradus resume`", async () => {
    const { ended, runsHere } = await cutAt("train 1/", "SIGINT")
    assert.strictEqual(ended.code, 130)
    const [run = ""] = readdirSync(runsHere).filter((name) => !name.startsWith("."))
    assert.include(ended.stderr, `gradus resume ${join(runsHere, run)}`)
    const resumed = lastLine(await gradus("resume", join(runsHere, run), ...plain))
    assert.deepStrictEqual(resumed.digest, whole.digest)
    assert.isFalse(existsSync(join(runsHere, run, "report.html")))
  })

  it("takes its trainer with it, also by kill -9", async () => {
    const runsHere = directory()
    const serving = start(["serve", "trainer", manifest, "--runs", runsHere])
    await serving.said('"pid"')
    serving.child.stdout?.removeAllListeners("data")
    const pid = Number(readFileSync(`/proc/${serving.child.pid}/task/${serving.child.pid}/children`, "utf8").trim())
    assert.isTrue(runs(pid))
    serving.child.kill("SIGKILL")
    await until("the trainer is gone", () => !runs(pid))
  })

  it("is refused to a second process while the first works on it", async () => {
    const runsHere = warmed()
    const first = start(["run", manifest, "--runs", runsHere, ...plain])
    await first.said("profile 16/")
    // held still, so that it cannot be done before the second one looks; it holds the lease all the same
    first.child.kill("SIGSTOP")
    const second = await gradus("run", manifest, "--runs", runsHere, ...plain)
    first.child.kill("SIGCONT")
    assert.strictEqual(second.code, 75)
    assert.include(second.stderr, "another process is working on")
    assert.deepStrictEqual(lastLine(await first.ended).digest, whole.digest)
  })
})
