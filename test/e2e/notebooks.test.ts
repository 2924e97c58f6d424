/** The notebooks as a person runs them, headless: on a simulated run, a simulated sweep and a run with a judge; and notebooks that show nothing, which must fail. */
import { ChatServer } from "@gradus/testing/ChatServer"
import { block, honest, textOf } from "@gradus/testing/HonestJudge"
import { assert, describe, it } from "@effect/vitest"
import { simulatedManifest } from "@gradus/testing/SimulatedManifest"
import * as Effect from "effect/Effect"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { directory, type Ended, gradus, lastLine, root, startProgram } from "../gradus.ts"

const folder = join(root, "notebooks")
const names = readdirSync(folder).filter((name) => name.endsWith(".ipynb"))

interface Output {
  readonly data?: Readonly<Record<string, string | ReadonlyArray<string>>>
}
interface Cell {
  readonly id: string
  readonly cell_type: "code" | "markdown"
  readonly metadata: { readonly tags?: ReadonlyArray<string> }
  readonly source: ReadonlyArray<string>
  readonly outputs?: ReadonlyArray<Output>
  readonly execution_count?: number | null
}
const cellsOf = (file: string): ReadonlyArray<Cell> => JSON.parse(readFileSync(file, "utf8")).cells

/** Executes notebooks and gives how that ended, and what each cell of them showed in a form. */
const execute = async (...args: ReadonlyArray<string>) => {
  const out = directory()
  const ended = await startProgram(join(root, "scripts/notebooks.mjs"), ["--out", out, ...args]).ended
  const shown = (name: string, cell: string, mime: string): string => {
    const { outputs = [] } = cellsOf(join(out, name)).find(({ id }) => id === cell) ?? {}
    const [data] = outputs.flatMap((output) => output.data?.[mime] ?? [])
    return outputs.length === 1 ? [outputs[0]?.data?.[mime] ?? data ?? ""].flat().join("") : ""
  }
  return { ended, shown }
}

const passed = ({ code, stderr, stdout }: Ended): void => assert.strictEqual(code, 0, `${stdout}\n${stderr}`)

/** The rows of a table's plain text, a record each. */
const rowsOf = (text: string): ReadonlyArray<Readonly<Record<string, string>>> => {
  const [head = [], ...rows] = text.split("\n").map((line) => line.trim().split(/\s{2,}/))
  return rows.map((row) => Object.fromEntries(head.map((name, i) => [name, row[i] ?? ""])))
}

const manifest = simulatedManifest({
  questions: "train: 60, heldout: 12, hard: 6",
  train: "steps: 4, prompts_per_step: 4, samples_per_prompt: 4",
  more: "rewards: {accuracy: exact}\nprofile: {samples: 4}\n"
})

/** Writes a notebook of cells; those in `shows` are tagged so. */
const notebook = (
  kernel: "deno" | "python3",
  cells: Readonly<Record<string, string>>,
  shows: ReadonlyArray<string>
) => {
  const language = kernel === "deno" ? "typescript" : "python"
  const file = join(directory(), `${kernel}.ipynb`)
  const made = Object.entries(cells).map(([id, source]) => ({
    cell_type: "code",
    execution_count: null,
    id,
    metadata: { tags: shows.includes(id) ? ["shows"] : [] },
    outputs: [],
    source
  }))
  const metadata = { kernelspec: { display_name: kernel, language, name: kernel } }
  writeFileSync(file, JSON.stringify({ cells: made, metadata, nbformat: 4, nbformat_minor: 5 }))
  return file
}

describe("the notebooks as they are committed", () => {
  it.each(names)("%s holds no output, and every cell has a name of its own", (name) => {
    const cells = cellsOf(join(folder, name))
    const code = cells.filter(({ cell_type }) => cell_type === "code")
    assert.isTrue(code.every(({ execution_count, outputs }) => outputs?.length === 0 && execution_count === null))
    assert.strictEqual(new Set(cells.map(({ id }) => id)).size, cells.length)
    assert.isTrue(cells.every(({ id }) => /^[a-z-]+$/.test(id)))
    assert.isAbove(code.filter(({ metadata }) => metadata.tags?.includes("shows")).length, 2)
  })

  it("says in a sentence before each figure what to look for", () => {
    for (const name of names) {
      const cells = cellsOf(join(folder, name))
      const bare = cells.filter(
        ({ source }, i) => /\bchart\(/.test(source.join("")) && cells[i - 1]?.cell_type !== "markdown"
      )
      assert.deepStrictEqual(
        bare.map(({ id }) => `${name}: ${id}`),
        []
      )
    }
  })
})

describe("a simulated run", () => {
  it("is shown by first-look and reader as its summary has it, and refused by judge-audit", async () => {
    const runs = directory()
    writeFileSync(join(runs, "m.yaml"), manifest)
    const run = lastLine(await gradus("simulate", join(runs, "m.yaml"), "--runs", runs, "--json"))
    const notebooks = ["first-look.ipynb", "reader.ipynb"].map((name) => join(folder, name))
    const { ended, shown } = await execute("--run", run.dir, ...notebooks)
    passed(ended)
    const change = rowsOf(shown("first-look.ipynb", "change", "text/plain"))
    assert.deepStrictEqual(
      change.map(({ after, before, set }) => [set, Number(before), Number(after)]),
      Object.entries<{ first: number; last: number }>(run.eval).map(([set, { first, last }]) => [
        set,
        Number(first.toPrecision(4)),
        Number(last.toPrecision(4))
      ])
    )
    for (const cell of ["learning-curve", "levels"]) {
      const png = Buffer.from(shown("first-look.ipynb", cell, "image/png"), "base64")
      assert.strictEqual(png.subarray(1, 4).toString(), "PNG")
    }
    assert.include(shown("first-look.ipynb", "learning-curve", "text/plain"), "SIMULATION: no language model was run")
    // 4 steps of 4 questions of 4 samples
    assert.include(shown("first-look.ipynb", "questions", "text/plain"), "8 of 16 rows")
    assert.include(shown("reader.ipynb", "metrics", "text/html"), "shape: (4, 4)")
    assert.include(shown("reader.ipynb", "rollouts", "text/html"), "shape: (16, 5)")
    const audit = await execute("--run", run.dir, join(folder, "judge-audit.ipynb"))
    assert.strictEqual(audit.ended.code, 1)
    assert.include(audit.ended.stdout, "this run was not judged")
  })
})

describe("curriculum-study, on a simulated sweep", () => {
  it("compares the arms pair by pair with the baseline that it is asked for", async () => {
    const place = directory()
    const file = join(place, "sweep.yaml")
    writeFileSync(join(place, "base.yaml"), manifest)
    const arms = "{uniform: {curriculum: {batcher: uniform}}, gaussian: {curriculum: {batcher: gaussian, sigma: 0.12}}}"
    writeFileSync(file, `version: 1\nname: orders\nbase: base.yaml\nseeds: [1, 2, 3]\naxes: [{list: ${arms}}]\n`)
    const swept = await startProgram(join(root, "packages/sweep/test/worker.ts"), [file, join(place, "runs")]).ended
    assert.include(swept.stdout, '"ran":6', swept.stderr)
    const sweep = join(place, "runs/sweeps/orders")
    const { ended, shown } = await execute("--sweep", sweep, join(folder, "curriculum-study.ipynb"))
    passed(ended)
    const differences = rowsOf(shown("curriculum-study.ipynb", "table", "text/plain"))
    assert.deepStrictEqual(
      differences.map(({ arm, at, pairs }) => [arm, at, pairs]),
      ["equal tokens", "equal updates", "last step"].map((at) => ["gaussian", at, "3"])
    )
    const seeds = rowsOf(shown("curriculum-study.ipynb", "seeds", "text/plain"))
    const mean = seeds.reduce((sum, { gaussian }) => sum + Number(gaussian), 0) / 3
    assert.closeTo(Number(differences[0]?.["difference"]), mean, 1e-4)
    assert.strictEqual(shown("curriculum-study.ipynb", "unpaired", "text/plain"), "no rows")
    const words = "SIMULATION: no language model was run"
    const titles = `chart: ${words}; uniform (baseline); gaussian`
    assert.strictEqual(shown("curriculum-study.ipynb", "by-tokens", "text/plain"), titles)
    for (const cell of ["by-tokens", "by-updates", "paired", "performance"])
      assert.include(shown("curriculum-study.ipynb", cell, "text/plain"), words)
  })
})

describe("judge-audit, on a run with a judge", () => {
  it.live("counts what it said, finds the wrong answers that it accepts, and shows its raw replies as text", () =>
    Effect.gen(function* () {
      const { endpoint } = yield* ChatServer
      const runs = directory()
      const prices = { loopback: { prompt: 1e6, completion: 2e6 } }
      const rewards = { accuracy: "judge", judge: { endpoint, model: "loopback", prices } }
      const settings = ["train.steps=3", "evaluate.every=0", "warmup.steps=40", `rewards=${JSON.stringify(rewards)}`]
      const flags = settings.flatMap((one) => ["-s", one])
      const tiny = join(root, "test/e2e/tiny.yaml")
      const run = lastLine(
        yield* Effect.promise(() => gradus("run", tiny, ...flags, "--runs", runs, "--no-report", "--json"))
      )
      const audit = join(folder, "judge-audit.ipynb")
      const { ended, shown } = yield* Effect.promise(() => execute("--run", run.dir, audit))
      passed(ended)
      const counts = rowsOf(shown("judge-audit.ipynb", "counts", "text/plain"))
      const said = counts.map(({ verdict }) => verdict)
      assert.includeMembers(said, ["yes", "no", "unreadable"])
      for (const { cost, tokens, completions } of counts) {
        // 17 a call by the server's usage, 14 tokens
        assert.strictEqual(Number(cost) % 17, 0)
        assert.strictEqual(Number(tokens) / 14, Number(cost) / 17)
        assert.isAtLeast(Number(completions), Number(cost) / 17)
      }
      const [train] = rowsOf(shown("judge-audit.ipynb", "by-stage", "text/plain")).filter(
        (row) => row["stage"] === "train"
      )
      assert.isAbove(Number(train?.["compared"]), 0)
      const apart = rowsOf(shown("judge-audit.ipynb", "disagreement", "text/plain")).filter(
        (row) => "rule" in row && row["rule"] !== ""
      )
      assert.isAbove(apart.length, 0)
      assert.isTrue(apart.every(({ rule, verdict }) => verdict === "yes" && rule === "wrong"))
      const unread = shown("judge-audit.ipynb", "unreadable", "text/html")
      assert.include(unread, "&lt;img src=x onerror=alert(1)&gt;\\u202e")
      assert.notInclude(unread, "<img")
    }).pipe(
      Effect.provide(
        ChatServer.layer((asked) => {
          const { length } = block("candidate", textOf(asked))
          if (length % 4 === 1) return { kind: "answer", text: "<img src=x onerror=alert(1)>\u202E" }
          return length % 4 === 2 ? { kind: "answer", text: "yes" } : honest(asked)
        })
      )
    )
  )
})

describe("the runner", () => {
  const show = 'import { show, chart } from "@gradus/notebook"\n'

  it("fails on a tagged cell that shows nothing, in either kernel, and names it", async () => {
    const typescript = notebook(
      "deno",
      {
        fine: `${show}await show([{ a: 1 }])`,
        empty: "const nothing = 1",
        "no-rows": "await show([])",
        undrawn: "await chart(null)",
        said: 'console.log("a line is not a figure")'
      },
      ["fine", "empty", "no-rows", "undrawn", "said"]
    )
    const python = notebook("python3", { fine: "import polars\npolars.DataFrame({'a': [1]})", empty: "a = 1" }, [
      "fine",
      "empty"
    ])
    const { ended } = await execute(typescript, python)
    assert.strictEqual(ended.code, 1, ended.stderr)
    const wrong = ended.stdout.split("\n").filter((line) => line.includes("should show something and shows nothing"))
    assert.deepStrictEqual(
      wrong.map((line) => /^(\w+)\.ipynb: cell (\S+) should/.exec(line)?.slice(1)),
      [
        ["deno", "empty"],
        ["deno", "no-rows"],
        ["deno", "undrawn"],
        ["deno", "said"],
        ["python3", "empty"]
      ]
    )
  })

  it("fails on a cell that raises, and on a notebook that tags nothing", async () => {
    const raising = notebook("deno", { fine: `${show}await show(1)`, broken: 'throw new Error("on purpose")' }, [
      "fine"
    ])
    const untagged = notebook("python3", { one: "1" }, [])
    const { ended } = await execute(raising, untagged)
    assert.strictEqual(ended.code, 1)
    assert.include(ended.stdout, "on purpose")
    assert.include(ended.stdout, "python3.ipynb: no cell is tagged `shows`")
  })

  it("keeps every output of many cells that end at once", async () => {
    const cells = Object.fromEntries(
      Array.from({ length: 25 }, (_, i) => [`cell${i}`, `${i === 0 ? show : ""}await show([{ cell: ${i} }])`])
    )
    const { ended, shown } = await execute(notebook("deno", cells, Object.keys(cells)))
    passed(ended)
    assert.deepStrictEqual(
      Object.keys(cells).map((id) => shown("deno.ipynb", id, "text/plain")),
      Array.from({ length: 25 }, (_, i) => `cell\n${String(i).padStart(4)}`)
    )
  })
})
