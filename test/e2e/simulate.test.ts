/** `gradus simulate`: whole runs without torch, labelled wherever they show, cut by kill -9, and schedules of any size. */
import { assert, describe, it } from "@effect/vitest"
import { simulatedManifest } from "@gradus/testing/SimulatedManifest"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { directory, gradus, lastLine, start } from "../gradus.ts"
import { jsonLines, write } from "../rows.ts"

const manifest = (more = "", steps = "steps: 6, ") =>
  write(
    "m.yaml",
    simulatedManifest({
      questions: "train: 80, heldout: 20, hard: 8",
      train: `${steps}prompts_per_step: 8, samples_per_prompt: 4`,
      more
    })
  )
const cluster =
  "{gpus: 4, generate_tokens_per_gpu_second: 100, train_tokens_per_gpu_second: 1000, overhead_seconds: 5, completion_tokens: 500, prompt_tokens: 100}"

describe("gradus simulate", () => {
  it("runs every stage in seconds, predicts by the cluster that is stated, and says everywhere that it is a simulation", async () => {
    const runs = directory()
    const ended = await gradus("simulate", manifest(), "--runs", runs, "--cluster", cluster, "--json")
    const result = lastLine(ended)
    assert.include(ended.stderr, "a simulation: a latent-ability model answered")
    assert.isTrue(result.simulation)
    assert.strictEqual(result.steps, 6)
    assert.isAbove(result.eval.heldout.last, result.eval.heldout.first)
    assert.match(result.dir, /\/simulated\/[0-9a-f]{8}\/simulated--[0-9a-f]{12}$/)
    const metrics = jsonLines(readFileSync(join(result.dir, "metrics.ndjson"), "utf8"))
    const silent = metrics.filter(({ stage }) => stage === "train").map((row) => row.metrics.frac_reward_zero_std)
    const trained = silent.reduce((sum, share) => sum + Math.round(32 * (1 - share)), 0) * 600
    const { completions, cost, tokens } = result.predicted
    // 28 questions before and after, and 20 after steps 2 and 4
    assert.deepStrictEqual(completions, { profile: 640, train: 192, evaluate: 2 * (28 + 28 + 40) })
    assert.deepStrictEqual(tokens, { generated: (640 + 192 + 192) * 500, trained })
    const seconds = tokens.generated / 400 + trained / 4000 + 6 * 5
    assert.closeTo(cost.seconds, seconds, 1e-9)
    assert.closeTo(cost.gpu_hours, (seconds * 4) / 3600, 1e-9)
    assert.strictEqual(result.stated.cluster.gpus, 4)
    const { trainer } = JSON.parse(readFileSync(join(result.dir, "lineage.json"), "utf8"))
    assert.strictEqual(trainer.device, "simulated")
    const page = readFileSync(join(result.dir, "report.html"), "utf8")
    assert.include(page, "This is a simulation")
    const figures = readdirSync(join(result.dir, "figures"))
    assert.isAbove(figures.length, 10)
    for (const name of figures)
      assert.include(readFileSync(join(result.dir, "figures", name), "utf8"), "SIMULATION: no language model was run")
    assert.strictEqual(JSON.parse(readFileSync(join(result.dir, "simulation.json"), "utf8")).simulation, true)
    const resumed = await gradus("resume", result.dir)
    assert.strictEqual(resumed.code, 2)
    assert.include(resumed.stderr, "is a simulation: `gradus simulate` goes on with it")
  })

  it("goes on after kill -9 to the digests of a run that was not cut", async () => {
    const file = manifest("warmup: {steps: 8, examples_per_step: 4, learning_rate: {peak: 1.0e-3}}\n")
    const whole = lastLine(await gradus("simulate", file, "--runs", directory(), "--json"))
    const runs = directory()
    for (const moment of ["profile 64/", "train 1/", "train ", "evaluate after 1/"]) {
      const cut = start(["simulate", file, "--runs", runs, "--json"])
      await cut.said(moment)
      cut.child.kill("SIGKILL")
      await cut.ended
    }
    const again = lastLine(await gradus("simulate", file, "--runs", runs, "--json"))
    assert.deepStrictEqual(again.digest, whole.digest)
    assert.deepStrictEqual(again.eval, whole.eval)
  })

  it("tells the schedule alone for every batcher, without a run directory", async () => {
    for (const batcher of ["gaussian", "adarft", "bandit"]) {
      const runs = join(directory(), "runs")
      const more = ["-s", `curriculum={batcher: ${batcher}}`, "--schedule", "--cluster", cluster, "--json"]
      const result = lastLine(await gradus("simulate", manifest(), "--runs", runs, ...more))
      assert.isTrue(result.simulation)
      assert.deepInclude(result.predicted.completions, { profile: 640, train: 192, evaluate: 192 })
      assert.lengthOf(result.steps, 6)
      for (const { pass_rate, questions, silent_share } of result.steps) {
        assert.strictEqual(questions, 8)
        assert.isTrue(pass_rate >= 0 && pass_rate <= 1 && silent_share >= 0 && silent_share <= 1)
      }
      assert.isFalse(existsSync(runs))
    }
  })

  it("says where a schedule is shorter than was asked for", async () => {
    const ended = await gradus("simulate", manifest("", "steps: 100, "), "--schedule", "--json")
    const result = lastLine(ended)
    assert.isBelow(result.steps.length, 11)
    const note = `100 steps were asked for; what is kept lasts for ${result.steps.length}`
    assert.include(ended.stderr, note)
    assert.isTrue(result.notes.some((line: string) => line.includes(note)))
  })

  it("serves each epoch of a schedule whose steps are not stated", async () => {
    const file = manifest("curriculum: {batcher: gaussian, epochs: 3, reuse: true}", "")
    const result = lastLine(await gradus("simulate", file, "--schedule", "--json"))
    assert.lengthOf(result.steps, 3 * Math.ceil(result.kept / 8))
  })

  it("takes pass rates that a file brings: the plan of the run that measured them, and nothing asked for a profile", async () => {
    const runs = directory()
    const measured = lastLine(await gradus("simulate", manifest(), "--runs", runs, "--json"))
    const rates = `{file: ${join(measured.dir, "profile.parquet")}, column: passed, kind: passed_count, n: 8}`
    const args = [manifest(), "-s", `profile.from=${rates}`, "--cluster", cluster, "--json"]
    const brought = lastLine(await gradus("simulate", ...args, "--runs", runs))
    assert.strictEqual(brought.digest.plan, measured.digest.plan)
    assert.deepInclude(brought.predicted.completions, { profile: 0, train: 192 })
    const { predicted, steps } = lastLine(await gradus("simulate", ...args, "--schedule"))
    assert.deepInclude(predicted.completions, { profile: 0, train: 192 })
    assert.lengthOf(steps, 6)
    // of further questions the file says nothing
    const ended = await gradus("simulate", ...args, "-s", "questions.train=84", "--runs", runs)
    assert.strictEqual(ended.code, 2)
    assert.match(ended.stderr, /profile\.parquet: no row for 4 of 84 questions/)
  })

  it.each([
    ["a cluster without rates", ["--cluster", "{gpus: 8}"], "generate_tokens_per_gpu_second: is required"],
    [
      "a cluster of nothing",
      ["--cluster", "{gpus: 0, generate_tokens_per_gpu_second: 1, train_tokens_per_gpu_second: 1}"],
      "gpus: must be"
    ],
    ["a setting that it does not have", ["--policy", "{gian: 1}"], "gian: unknown key; did you mean `gain`?"]
  ])("%s is refused by key", async (_, args, message) => {
    const ended = await gradus("simulate", manifest(), "--runs", directory(), ...args)
    assert.strictEqual(ended.code, 2, ended.stderr)
    assert.include(ended.stderr, message)
  })
})
