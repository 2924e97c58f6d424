/** Where metrics go besides the files, each read back by the other side's own software: the servers of MLflow and Trackio, Inspect's reader, W&B's, OpenTelemetry's messages, Prometheus' parser. */
import { assert, describe, it } from "@effect/vitest"
import { trainerPython } from "@gradus/testing/TrainerPython"
import { aliases } from "@gradus/trackers/Names"
import { readdirSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll } from "vitest"
import { directory, gradus, lastLine, root, start, type Started } from "../gradus.ts"
import { jsonLines } from "../rows.ts"
import { type MlflowServer, startMlflow } from "./mlflowServer.ts"
import { freePort, otlpReceiver, read, runPython } from "./trackerVenv.ts"
import { trackioServer } from "./trackioServer.ts"

const STEPS = 40
/** A simulated run of tracked.yaml with trackers. */
const simulate = (runs: string, track: ReadonlyArray<object> = []) => {
  const more = track.length === 0 ? [] : ["-s", `track=${JSON.stringify(track)}`]
  const settings = ["--runs", runs, "--policy", "{truncated: 0.1}", "--json", ...more]
  return start(["simulate", join(root, "test/e2e/tracked.yaml"), ...settings])
}
const metricsOf = (dir: string) => jsonLines(readFileSync(join(dir, "metrics.ndjson"), "utf8"))
const ofStage = (dir: string, stage: string) => metricsOf(dir).filter((row) => row.stage === stage)

/** A finished run without trackers. */
let dir = ""
/** MLflow takes a while to start: the other tests run meanwhile. */
let mlflow: Promise<MlflowServer>

beforeAll(async () => {
  mlflow = startMlflow()
  mlflow.catch(() => {})
  const runs = join(root, ".cache/e2e/tracked")
  rmSync(runs, { recursive: true, force: true })
  dir = lastLine(await simulate(runs).ended).dir
}, 300_000)
afterAll(async () => (await mlflow).close())

describe("names of other frameworks", () => {
  it("stand for metrics that we write, those that only a trainer with weights measures included", () => {
    const simulated = new Set(ofStage(dir, "train").flatMap((row) => Object.keys(row.metrics)))
    const known = Object.values(aliases).flatMap((table) => Object.keys(table))
    const others = [...new Set(known.filter((name) => !simulated.has(name)))].toSorted()
    assert.deepStrictEqual(others, ["kl", "ratio/max", "ratio/mean", "ratio/min", "sampler_gap/k3"])
    const measured = readFileSync(join(root, "apps/trainer/src/gradus_trainer/engine/metrics.py"), "utf8")
    for (const name of others) assert.match(measured, new RegExp(`"${name}"(:|\\])`))
  })
})

describe("gradus export --to inspect", () => {
  const rowsOf = async (set: string, step: number) => {
    const file = join(dir, "eval", set, `${String(step).padStart(6, "0")}.parquet`)
    const script = "import json, sys, pyarrow.parquet as pq; print(json.dumps(pq.read_table(sys.argv[1]).to_pylist()))"
    return JSON.parse(await runPython(["-c", script, file], {}, "", trainerPython()))
  }

  it("gives Inspect's reader every evaluation with its samples and scores", async () => {
    const output = directory()
    const result = lastLine(await gradus("export", dir, "--to", "inspect", "--output", output, "--json"))
    assert.strictEqual(result.evaluations, 5)
    assert.sameMembers(
      result.files,
      readdirSync(output).map((name) => join(output, name))
    )
    const logs: ReadonlyArray<any> = await read("inspect_logs.py", [output])
    assert.sameMembers(
      logs.map(({ step, task }) => `${task} ${step}`),
      ["heldout 0", "heldout 20", "heldout 40", "hard 0", "hard 40"]
    )
    for (const log of logs) {
      const rows: ReadonlyArray<any> = await rowsOf(log.task, log.step)
      const { reading } = JSON.parse(
        readFileSync(join(dir, "eval", log.task, `${String(log.step).padStart(6, "0")}.json`), "utf8")
      )
      assert.deepInclude(log, {
        status: "success",
        model: `gradus/tracked@${log.step}`,
        dataset: [log.task, log.task === "heldout" ? 12 : 6],
        epochs: 2,
        max_tokens: 64,
        unscored: 0
      })
      assert.closeTo(log.mean, reading.accuracy, 1e-12)
      assert.deepStrictEqual(
        log.samples,
        rows.map((row) => ({
          id: row.question_id,
          epoch: row.k + 1,
          input: row.question,
          target: row.gold,
          completion: row.text,
          roles: ["user", "assistant"],
          stop: row.finish_reason === "length" ? "max_tokens" : "stop",
          tokens: row.length,
          scores: { value: row.value, accuracy: row.accuracy, format: row.format },
          answer: row.answer
        }))
      )
    }
    assert.isTrue(logs.some(({ samples }) => samples.some(({ stop }: { stop: string }) => stop === "max_tokens")))
  })

  it("says what it needs where there is no run", async () => {
    const without = await gradus("export", "--to", "inspect", "--output", "logs")
    assert.strictEqual(without.code, 2)
    assert.include(without.stderr, "gradus export DIR --to inspect")
    const empty = await gradus("export", directory(), "--to", "inspect", "--output", "logs")
    assert.strictEqual(empty.code, 2)
    assert.include(empty.stderr, "is not a run directory: it has no resolved.json")
  })
})

describe("wandb_replay.py", () => {
  it("gives W&B each line of the metrics with its step, the manifest, and the last evaluations", async () => {
    const folder = directory()
    const script = join(root, "integrations/wandb_replay.py")
    await runPython([script, dir, "--dir", folder], { WANDB_MODE: "offline", WANDB_SILENT: "true" })
    const [offline = ""] = readdirSync(join(folder, "wandb")).filter((name) => name.startsWith("offline-run-"))
    const [file = ""] = readdirSync(join(folder, "wandb", offline)).filter((name) => name.endsWith(".wandb"))
    const { config, history, id, summary } = await read("wandb_files.py", [join(folder, "wandb", offline, file)])
    assert.match(id, /^tracked--[0-9a-f]{12}$/)
    const rows = metricsOf(dir)
    assert.lengthOf(history, rows.length)
    for (const [line, { metrics, stage, step }] of rows.entries()) {
      const axis = stage === "train" ? "step" : `${stage}/step`
      assert.strictEqual(history[line]._line, line)
      assert.strictEqual(history[line][axis], step)
      for (const [name, value] of Object.entries(metrics)) {
        const below = stage === "train" || name.startsWith(`${stage}/`) ? name : `${stage}/${name}`
        if (value !== null) assert.strictEqual(history[line][below], value, below)
      }
    }
    assert.deepInclude(config.train, { steps: STEPS, prompts_per_step: 8 })
    assert.strictEqual(config.gradus.device, "simulated")
    const { reading } = JSON.parse(readFileSync(join(dir, "eval/heldout/000040.json"), "utf8"))
    assert.strictEqual(summary["eval/heldout/accuracy"], reading.accuracy)
    assert.isTrue(summary.finished)
  })
})

describe("OTLP and Prometheus", () => {
  it("have the run's gauges: a collector decodes the last values and spans, a scrape shows them while the run goes on", async () => {
    const { requests, url } = await otlpReceiver()
    const port = await freePort()
    const running = simulate(directory(), [
      { kind: "otlp", url },
      { kind: "prometheus", port }
    ])
    const scrape = () =>
      fetch(`http://127.0.0.1:${port}/metrics`).then(
        (response) => response.text(),
        () => ""
      )
    let page = await scrape()
    while (!page.includes("gradus_reward") && running.child.exitCode === null) {
      await new Promise((resolve) => setTimeout(resolve, 50))
      page = await scrape()
    }
    const samples: ReadonlyArray<any> = await read("prometheus_text.py", [], page)
    const result = lastLine(await running.ended)
    const train = ofStage(result.dir, "train")
    const run = `simulated/${result.run}`
    const scraped = Object.fromEntries(
      samples.filter(([, , labels]) => labels.run === run).map(([type, name, , value]) => [name, { type, value }])
    )
    assert.strictEqual(scraped.gradus_reward.type, "gauge")
    const then = train[scraped.gradus_step.value - 1]
    assert.include([then.metrics.reward, train[scraped.gradus_step.value]?.metrics.reward], scraped.gradus_reward.value)
    const facts = requests.flatMap((request) => request.facts)
    assert.isTrue(requests.every(({ type }) => type === "application/x-protobuf"))
    const last = Object.fromEntries(facts.filter((fact) => fact.run === run).map(({ gauge, value }) => [gauge, value]))
    assert.strictEqual(last.gradus_step, STEPS)
    for (const [name, value] of Object.entries(train.at(-1).metrics))
      if (value !== null) assert.strictEqual(last[`gradus_${name}`], value, name)
    const spans = facts.filter(({ span }) => span !== undefined)
    assert.isTrue(spans.some(({ span }) => span === "Evaluate.set"))
    assert.isTrue(spans.every(({ resource }) => resource["gradus.run"] === run))
  })
})

describe("Trackio", () => {
  it("has every row once with its step, and the settings; a wrong write token costs a complaint and nothing else", async () => {
    const token = "GRADUS_E2E_TRACKIO"
    process.env[token] = "a token for writing"
    const server = await trackioServer(process.env[token])
    const track = [{ kind: "trackio", url: server.url, token: { env: token }, names: "prime-rl" }]
    const result = lastLine(await simulate(directory(), track).ended)
    const run = `simulated/${result.run}`
    const logs: ReadonlyArray<any> = await server.ask("get_logs", { project: "gradus", run })
    const rows = metricsOf(result.dir)
    assert.lengthOf(logs, rows.length)
    assert.deepStrictEqual(
      logs.flatMap((log) => ("reward/all/mean" in log ? [[log.step, log["reward/all/mean"]]] : [])),
      rows.flatMap(({ metrics, stage, step }) => (stage === "train" ? [[step, metrics.reward]] : []))
    )
    const configs = await server.ask("get_run_configs", { project: "gradus" })
    assert.strictEqual(configs[run]["train.steps"], String(STEPS))
    process.env[token] = "another"
    const refused = await simulate(directory(), track).ended
    assert.strictEqual(refused.code, 0, refused.stderr)
    assert.include(refused.stderr, "A write_token is required")
    assert.lengthOf(await server.ask("get_logs", { project: "gradus", run }), rows.length)
  })
})

describe("MLflow", () => {
  const tracked = ({ url }: MlflowServer, experiment: string) => [{ kind: "mlflow", url, experiment, names: "verl" }]
  const REWARD = "critic/rewards/mean"
  /** Waits until the server has the run and some of its steps. */
  const begun = async (server: MlflowServer, experiment: string, { child }: Started): Promise<string> => {
    while (child.exitCode === null) {
      const [run] = await server.runs(experiment)
      if (run !== undefined && (await server.history(run.info.run_id, REWARD)).length > 0) return run.info.run_id
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    throw new Error(`the run ended before MLflow had a step of ${experiment}`)
  }

  it("has settings and the history of metrics, and goes on with its run when ours goes on after kill -9", async () => {
    const server = await mlflow
    const [track, runs] = [tracked(server, "resumed"), directory()]
    const cut = simulate(runs, track)
    const id = await begun(server, "resumed", cut)
    cut.child.kill("SIGKILL")
    assert.strictEqual((await cut.ended).signal, "SIGKILL")
    const before = await server.history(id, REWARD)
    const result = lastLine(await simulate(runs, track).ended)
    const found = await server.runs("resumed")
    assert.lengthOf(found, 1)
    const [{ data, info }] = found
    assert.strictEqual(info.run_id, id)
    assert.strictEqual(info.run_name, `simulated/${result.run}`)
    assert.strictEqual(info.status, "FINISHED")
    const params = Object.fromEntries(data.params.map(({ key, value }: any) => [key, value]))
    assert.deepInclude(params, { "train.steps": String(STEPS), "questions.kind": "sorting", name: "tracked" })
    const history = await server.history(id, REWARD)
    assert.deepStrictEqual(history.slice(0, before.length), before)
    const steps = history.map(({ step }) => Number(step))
    assert.strictEqual(new Set(steps).size, steps.length)
    assert.include(steps, 1)
    assert.include(steps, STEPS)
    const rewards = ofStage(result.dir, "train").map((row) => row.metrics.reward)
    for (const { step, value } of history) assert.strictEqual(value, rewards[Number(step) - 1])
    const evaluated = await server.history(id, "evaluate_last/eval/heldout/accuracy")
    assert.deepStrictEqual(
      evaluated.map(({ value }) => value),
      [result.eval.heldout.last]
    )
  })

  it("can be killed in the middle of a run: it goes on, complains once, and its files have everything", async () => {
    const server = await mlflow
    const running = simulate(directory(), tracked(server, "killed"))
    await begun(server, "killed", running)
    server.kill()
    const ended = await running.ended
    const result = lastLine(ended)
    assert.strictEqual(ended.stderr.split("the run goes on without it").length, 2, ended.stderr)
    assert.lengthOf(ofStage(result.dir, "train"), STEPS)
  })
})
