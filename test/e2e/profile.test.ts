/** `gradus profile` without a manifest, as its users have it: a process, files, and servers over loopback that count what they are asked. */
import { assert, describe, it } from "@effect/vitest"
import { type SampleServer, type SampleServerOptions, startSampleServer } from "@gradus/testing/SampleServer"
import { trainerPython } from "@gradus/testing/TrainerPython"
import { execFile } from "node:child_process"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { onTestFinished } from "vitest"
import { directory, type Ended, gradus, lastLine, root, start, until } from "../gradus.ts"

const SAMPLES = 8

/** Question i of `file` is answered rightly by i mod 9 of any eight choices in a row. */
const text = (question: string, serial: number): string => {
  const i = Number(/\d+$/.exec(question)?.[0])
  return `#${serial}: it is ${(serial * 5) % 8 < i % 9 ? i : -1}`
}
const serve = async (options: Partial<SampleServerOptions> = {}): Promise<SampleServer> => {
  const server = await startSampleServer({ text, ...options }, { keep: true })
  onTestFinished(server.close)
  return server
}
const rowsOf = (questions: number) =>
  Array.from({ length: questions }, (_, i) => ({ id: `q${i}`, question: `Number ${i}`, answer: i, k: i % 9 }))
const write = (content: string, name = "questions.jsonl"): string => {
  const file = join(directory(), name)
  writeFileSync(file, content)
  return file
}
const file = (rows: ReadonlyArray<object>): string => write(rows.map((row) => `${JSON.stringify(row)}\n`).join(""))

const FLAGS = `--model m --samples ${SAMPLES} --no-share --json --accuracy numeric --answer numeric_end`.split(" ")

interface Place {
  readonly input: string
  readonly output: string
  readonly endpoints: ReadonlyArray<string>
}
const flags = ({ endpoints, input, output }: Place, ...more: ReadonlyArray<string>): ReadonlyArray<string> => [
  "profile",
  ...FLAGS,
  ...Object.entries({ input, output }).flatMap(([name, value]) => [`--${name}`, value]),
  ...endpoints.flatMap((endpoint) => ["--endpoint", endpoint]),
  ...more
]
const profile = (place: Place, ...more: ReadonlyArray<string>): Promise<Ended> => gradus(...flags(place, ...more))
const stored = (output: string): ReadonlyArray<any> =>
  readFileSync(join(output, "answers.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
const place = (server: SampleServer, rows: ReadonlyArray<object>): Place => ({
  input: file(rows),
  output: join(directory(), "profile"),
  endpoints: [server.endpoint]
})

/** Reads a table with what the trainer's Python has: pyarrow. */
const pyarrow = async (table: string): Promise<any> => {
  const code =
    "import json, sys, pyarrow.parquet as p; t = p.read_table(sys.argv[1]);" +
    "print(json.dumps({'schema': {f.name: str(f.type) for f in t.schema}, 'rows': t.to_pylist()}))"
  const { stdout } = await promisify(execFile)(trainerPython(), ["-c", code, table], { maxBuffer: 1 << 26 })
  return JSON.parse(stdout)
}

/** Rows and passes of a table as three libraries read it that its users have. */
const READERS = `
import json, sys, duckdb, pandas, polars
path = sys.argv[1]
one, two = pandas.read_parquet(path), polars.read_parquet(path)
three = duckdb.execute("select count(*), sum(passed), sum(rate) from read_parquet(?)", [path]).fetchone()
print(json.dumps([
    [len(one), int(one.passed.sum()), float(one.rate.sum())],
    [two.height, two["passed"].sum(), two["rate"].sum()],
    [three[0], int(three[1]), three[2]],
]))`

describe("a profile", () => {
  it("measures every question: a table that pyarrow, pandas, polars and DuckDB read, nine levels and the cut, one request a question", async () => {
    const server = await serve()
    const at = place(server, rowsOf(27))
    const result = lastLine(await profile(at, "--price-in", "2", "--price-out", "10", "--system", "be brief"))
    const { seconds, ...rest } = result
    assert.isAbove(seconds, 0)
    assert.deepInclude(rest, {
      questions: 27,
      samples: 8,
      asked: 216,
      reused: 0,
      passed: 3 * 36,
      unscored: 0,
      byLevel: Object.fromEntries(Array.from({ length: 9 }, (_, k) => [String(k), 3])),
      credible_level: 0.9,
      prior: [1, 1],
      notes: [],
      prompt_tokens: 27 * 50,
      completion_tokens: 216 * 20,
      cost: (27 * 50 * 2 + 216 * 20 * 10) / 1e6,
      requests: 27,
      output: join(at.output, "profile.parquet")
    })
    const { expected_misfiltered, ...cut } = rest.cut
    const dropped = { too_easy: 9, below_floor: 0, unscored: 0 }
    assert.deepStrictEqual(cut, { drop_at: 0.75, passes: 6, of: 8, kept: 18, dropped })
    // the mean over k of the mass of Beta(1 + k, 9 - k) on the other side of .75, by binomial sums
    assert.closeTo(expected_misfiltered, 0.13358, 1e-4)
    assert.deepStrictEqual(JSON.parse(readFileSync(join(at.output, "profile.json"), "utf8")).bounds, {
      prior: [1, 1],
      credible_level: 0.9
    })
    assert.strictEqual(server.counts().requests, 27)
    assert.isTrue(
      server.received.every(
        ({ n, path, system }) => n === 8 && path === "/v1/chat/completions" && system === "be brief"
      )
    )

    const { stdout } = await promisify(execFile)(trainerPython(), ["-c", READERS, result.output])
    // 3 questions at each of 0 to 8 of 8
    assert.deepStrictEqual(
      JSON.parse(stdout),
      Array.from({ length: 3 }, () => [27, 108, 13.5])
    )
    const { rows, schema } = await pyarrow(result.output)
    const types = (type: string, names: string) => names.split(" ").map((name) => [name, type])
    assert.deepStrictEqual(
      schema,
      Object.fromEntries([
        ...types("string", "question_id domain reason"),
        ...types("int32", "n scored passed truncated unscored failed empty"),
        ...types("double", "rate low high mean_tokens prompt_tokens completion_tokens"),
        ...types("bool", "early")
      ])
    )
    const { high, low, ...six } = rows[15]
    const counts = { n: 8, scored: 8, passed: 6, truncated: 0, unscored: 0, failed: 0, empty: 0 }
    const tokens = { mean_tokens: 20, prompt_tokens: 50, completion_tokens: 160 }
    const decided = { rate: 0.75, reason: "too_easy", early: false }
    assert.deepStrictEqual(six, { question_id: "q15", domain: null, ...counts, ...tokens, ...decided })
    // quantiles .1 and .9 of Beta(7, 3), by scipy
    assert.closeTo(low, 0.5099, 1e-3)
    assert.closeTo(high, 0.8705, 1e-3)

    const kept = lastLine(await gradus("filter", "--input", result.output, "--passed", "passed", "--n", "8", "--json"))
    assert.deepInclude(kept, { questions: 27, kept: 18, byLevel: result.byLevel })
    const plan = await gradus(
      "plan",
      "--input",
      result.output,
      "--passed",
      "passed",
      "--n",
      "8",
      "--prompts-per-step",
      "6",
      "--json"
    )
    assert.strictEqual(plan.code, 0, plan.stderr)
  })

  it("says in words where the cut is among nine levels, and what a bound can say at this n", async () => {
    const server = await serve()
    const at = place(server, rowsOf(18))
    const words = flags(at, "--credible-level", "0.95", "--price-out", "5").filter((flag) => flag !== "--json")
    const { code, stderr, stdout } = await gradus(...words)
    assert.strictEqual(code, 0)
    const lines = stdout.trimEnd().split("\n")
    assert.match(lines[0] ?? "", /^18 questions x 8 samples: 144 asked, 0 reused, [\d.]+ s/)
    assert.deepStrictEqual(
      lines.slice(1, 10).map((line) => line.replaceAll(/\s*█+/g, "")),
      [0, 1, 2, 3, 4, 5, 6, 7, 8].map((k) => {
        const level = `  ${k}/8  ${(k / 8).toFixed(3)}        2`
        return k === 6 ? `${level}  <- dropped from here: 0.75 is 6 of 8` : level
      })
    )
    assert.deepStrictEqual(lines.slice(10), [
      "kept 12, dropped 6 too easy, 0 below the floor, 0 without a score",
      "144 samples scored, 0 unscored (0 of them could not be had), 0 truncated, 0 empty",
      "expected to be on the wrong side of the cut, by the posteriors: 13.4 % of the scored questions",
      "bounds: uniform prior Beta(1, 1), each side at 0.95; 8 of 8 says a rate of at least 0.717",
      "  a rule that asks for the bound at 0.95 can drop nothing at 0.75 with 8 samples; from 10 samples on one can",
      "tokens: 900 of prompts, 2 880 of completions, cost 0.01",
      join(at.output, "profile.parquet")
    ])
    assert.match(stderr, /^profile 144\/144 samples, .* 3 780 tokens, cost 0\.01$/m)
  })

  it("says in JSON too that a rule that asks for the bound can never fire at this n", async () => {
    const server = await serve()
    const result = lastLine(await profile(place(server, rowsOf(9)), "--credible-level", "0.95", "--floor", "0.2"))
    assert.deepInclude(result, { credible_level: 0.95, prior: [1, 1] })
    assert.deepStrictEqual(result.notes, [
      "a rule that asks for the bound at 0.95 can drop nothing at 0.75 with 8 samples; from 10 samples on one can",
      "a rule that asks for the bound at 0.95 can drop nothing below 0.2 with 8 samples"
    ])
  })

  it("says that no sample passes where the rule does not fit the file", async () => {
    const server = await serve({ text: () => "no number" })
    const { notes, passed, scored } = lastLine(await profile(place(server, rowsOf(3))))
    assert.deepStrictEqual([passed, scored], [0, 24])
    assert.match(notes.at(-1), /^none of 24 scored samples passes: do --accuracy, --answer and --gold fit\?/)
  })

  it("is gone on with after kill -9, and the server's own count holds: 1,000 questions, 3 kills", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      join(root, "bench/profile-kills.mjs"),
      "1000",
      "3",
      "5"
    ])
    const counts = JSON.parse(stdout)
    assert.deepStrictEqual(counts.wrong, [])
    assert.deepInclude(counts, { questions: 1000, samples: 8, kills: 3, stored: 8000, server_asked_less_lost: 8000 })
    assert.strictEqual(counts.last_call.asked + counts.last_call.reused, 8000)
    assert.isAbove(counts.last_call.reused, 0)
  })

  it("keeps what is stored on Ctrl-C, says how to go on, refuses another process meanwhile", async () => {
    const server = await serve({ delayMillis: () => 300 })
    const at = place(server, rowsOf(60))
    const running = start(flags(at, "--concurrency", "4"))
    await until("two questions are answered", () => server.counts().answered >= 16)
    const other = await profile(at)
    assert.strictEqual(other.code, 75)
    assert.include(other.stderr, "another process is working on")
    running.child.kill("SIGINT")
    const ended = await running.ended
    assert.strictEqual(ended.code, 130)
    assert.include(ended.stderr, `stored in ${at.output}: the same command goes on`)
    const before = stored(at.output).length
    assert.isAtLeast(before, 8)
    const result = lastLine(await profile(at))
    assert.deepInclude(result, {
      asked: 480 - before,
      reused: before,
      passed: server.asked.size === 60 ? result.passed : -1
    })
    assert.strictEqual(stored(at.output).length, 480)
    assert.deepInclude(lastLine(await profile(at)), { asked: 0, reused: 480, requests: 0 })
  })

  it("of another file, model, sampling or rule is refused in the same directory, with the field", async () => {
    const server = await serve()
    const at = place(server, rowsOf(3))
    lastLine(await profile(at))
    const before = readFileSync(join(at.output, "answers.jsonl"), "utf8")
    for (const [more, field] of [
      [["--model", "other"], "model is m there and other now"],
      [["--temperature", "0.5"], "temperature is 1 there and 0.5 now"],
      [["--answer", "boxed_last"], "rewards.answer is numeric_end there and boxed_last now"],
      [["--samples", "4"], "samples is 8 there and 4 now"],
      [["--input", file(rowsOf(4))], "questions is"]
    ] as const) {
      // two equal flags would be a usage error: the first one goes
      const args = flags(at)
      const i = args.indexOf(more[0])
      const ended = await gradus(...args.filter((_, j) => i < 0 || (j !== i && j !== i + 1)), ...more)
      assert.strictEqual(ended.code, 2, ended.stderr)
      assert.include(ended.stderr, field)
    }
    assert.strictEqual(readFileSync(join(at.output, "answers.jsonl"), "utf8"), before)
    assert.strictEqual(server.counts().requests, 3)
  })

  it("is shared: the same questions, model, sampling and rules are asked once, wherever the output goes", async () => {
    const server = await serve()
    const at = place(server, rowsOf(5))
    const runs = directory()
    const shared = (output: string) => [
      ...flags({ ...at, output }).filter((flag) => flag !== "--no-share"),
      "--runs",
      runs
    ]
    const first = lastLine(await gradus(...shared(at.output)))
    const output = join(directory(), "second")
    const second = lastLine(await gradus(...shared(output)))
    assert.deepInclude(second, { asked: 0, reused: 40, shared: true, digest: first.digest, byLevel: first.byLevel })
    assert.strictEqual(server.counts().requests, 5)
    assert.deepStrictEqual(
      readFileSync(join(output, "profile.parquet")),
      readFileSync(join(at.output, "profile.parquet"))
    )
    assert.deepStrictEqual(readdirSync(join(runs, ".artifacts", "profile")), [first.digest])
  })
})

describe("answers", () => {
  it("that are unscored, failed, truncated or empty are shown apart, and failed ones are asked again on demand", async () => {
    let broken = true
    const server = await serve({
      text: (question, serial) => (question === "Number 3" ? "  " : text(question, serial)),
      cutAt: 10,
      fault: ({ question }) =>
        broken && question === "Number 2" ? { kind: "status", status: 400, body: "too long" } : undefined
    })
    const at = place(server, [...rowsOf(8).slice(1, 8), { id: "bad", question: "Number 100", answer: "none" }])
    const result = lastLine(await profile(at, "--concurrency", "1"))
    // "#0: it is 1" has 11 characters: every choice but the empty ones is cut
    // eight could not be had, and eight have a truth that is no number
    assert.deepInclude(result, { asked: 64, unscored: 16, failed: 8, truncated: 48, empty: 8, scored: 48 })
    assert.deepInclude(
      stored(at.output).find(({ question_id }) => question_id === "q2"),
      {
        text: null,
        failure: "status 400: too long",
        unscored: "completion_failed"
      }
    )
    assert.deepInclude(lastLine(await profile(at)), { asked: 0, failed: 8 })
    // two questions without a score are no questions with the rate 0
    const column = ["--passed", "rate", "--kind", "rate", "--n-column", "scored", "--missing", "unscored"]
    const filtered = lastLine(await gradus("filter", "--input", result.output, ...column, "--json"))
    assert.deepInclude(filtered, { questions: 8, kept: 6, dropped: 2 })
    broken = false
    assert.deepInclude(lastLine(await profile(at, "--retry-failed")), {
      asked: 8,
      reused: 56,
      failed: 0,
      unscored: 8,
      scored: 56
    })
  })

  it("come by /v1/completions too, from a server with one choice a request, each with a seed of its own", async () => {
    const server = await serve({ most: 1 })
    const at = place(server, rowsOf(2))
    const result = lastLine(
      await profile(at, "--api", "completions", "--seed", "7", "--api-key-env", "PATH", "--concurrency", "1")
    )
    assert.deepInclude(result, { asked: 16, requests: 16, passed: 1 })
    assert.isTrue(
      server.received.every(
        ({ path, authorization }) => path === "/v1/completions" && authorization?.startsWith("Bearer /")
      )
    )
    assert.strictEqual(new Set(server.received.map(({ seed }) => seed)).size, 16)
    const seeds = server.received.filter(({ question }) => question === "Number 1").map(({ seed }) => seed ?? -1)
    assert.deepStrictEqual(
      seeds.map((seed) => seed - (seeds[0] ?? 0)),
      [0, 1, 2, 3, 4, 5, 6, 7]
    )
  })

  it("are asked no longer than it takes to decide, with --decide-early, and kept questions are completed", async () => {
    const server = await serve()
    const at = place(server, rowsOf(90))
    const result = lastLine(await profile(at, "--decide-early", "0.95"))
    const asked = [...server.asked.values()].reduce((sum, count) => sum + count, 0)
    assert.strictEqual(result.asked, asked)
    assert.isAbove(result.early.saved, 0)
    assert.strictEqual(result.early.saved, 720 - asked)
    assert.isAtMost(result.early.expected_misfiltered, 0.05)
    const { rows } = await pyarrow(result.output)
    for (const { early, n, reason } of rows) assert.isTrue(early ? n < 8 && reason === "too_easy" : n === 8)
    assert.deepInclude(lastLine(await profile(at, "--decide-early", "0.95")), { asked: 0, reused: asked })
  })

  it("agree or disagree with a column that the file brings, by --check on a drawn sample", async () => {
    const server = await serve()
    const at = place(server, rowsOf(90))
    const check = ["--check", "k", "--n", "8", "--sample", "40"]
    const right = lastLine(await profile(at, ...check, "--kind", "passed_count"))
    assert.deepInclude(right, { questions: 40, asked: 320 })
    assert.deepInclude(right.check, {
      compared: 40,
      difference: 0,
      correlation: 1,
      beyond_noise: 0,
      decided_otherwise: 0
    })
    assert.include(right.check.verdict, "agree within sampling noise")
    const turned = lastLine(await profile(at, ...check, "--kind", "failed_count"))
    assert.deepInclude(turned, { asked: 0 })
    assert.closeTo(turned.check.correlation, -1, 1e-9)
    assert.include(turned.check.verdict, "is the kind of the column right?")
  })
})

describe("what is wrong", () => {
  it("with the input is one error that names row or column, and nothing is written or asked", async () => {
    const server = await serve()
    const good = rowsOf(3)
    const cases = [
      [write(""), "the file is empty"],
      [
        file([...good, { id: "q1", question: "again", answer: 1 }]),
        'row 4, column "id": id "q1" is already that of row 2'
      ],
      [
        file([{ id: "a", prompt: "1 + 1?", answer: 2 }]),
        'row 1, column "question": no such column; the row has: id, prompt, answer'
      ],
      [write('{"id":"a","question":"1","answer":NaN}\n'), "row 1: NaN and Infinity are not JSON"],
      [write(`${JSON.stringify(good[0])}\n{"id":"b","que`), "row 2: the file ends within this row"],
      [join(directory(), "none.jsonl"), "there is no such file"]
    ] as const
    for (const [input, words] of cases) {
      const output = join(directory(), "profile")
      const ended = await profile({ input, output, endpoints: [server.endpoint] })
      assert.strictEqual(ended.code, 2, ended.stderr)
      assert.include(ended.stderr, words)
      assert.strictEqual(ended.stdout, "")
      assert.isFalse(existsSync(output))
    }
    assert.strictEqual(server.counts().requests, 0)
  })

  it("with the servers is said before anything is written: an address, a key, a variable, a flag", async () => {
    const refusing = await serve({ fault: () => ({ kind: "status", status: 404, body: "no model m" }) })
    const input = file(rowsOf(3))
    const cases = [
      [["http://127.0.0.1:9/v1"], [], 75, "no server answers: http://127.0.0.1:9/v1"],
      [["127.0.0.1:8000"], [], 2, "--endpoint 127.0.0.1:8000"],
      [[refusing.endpoint], ["--api-key-env", "GRADUS_NO_SUCH_KEY"], 2, "--api-key-env GRADUS_NO_SUCH_KEY"],
      [[refusing.endpoint], ["--decide-early", "0.3"], 2, "--decide-early 0.3"],
      [[refusing.endpoint], ["--check", "k"], 2, "--check k needs --kind"],
      [[], [], 2, "--endpoint"]
    ] as const
    for (const [endpoints, more, code, words] of cases) {
      const output = join(directory(), "profile")
      const ended = await profile({ input, output, endpoints }, ...more)
      assert.strictEqual(ended.code, code, ended.stderr)
      assert.include(ended.stderr, words)
      assert.isFalse(existsSync(output))
    }
    const output = join(directory(), "profile")
    const ended = await profile({ input, output, endpoints: [refusing.endpoint] })
    assert.strictEqual(ended.code, 1)
    assert.include(ended.stderr, "status 404, no such model or route (no model m)")
    assert.isFalse(existsSync(join(output, "profile.parquet")))
  })

  it("with one of the servers is no harm: the others do its work", async () => {
    const good = await serve({ delayMillis: () => 5 })
    const [resets, hangs] = [
      await serve({ fault: () => ({ kind: "reset" }) }),
      await serve({ fault: () => ({ kind: "hang" }) })
    ]
    const at = { ...place(good, rowsOf(60)), endpoints: [resets, good, hangs].map(({ endpoint }) => endpoint) }
    const result = lastLine(
      await profile(
        { ...at, endpoints: [...at.endpoints, "http://127.0.0.1:9"] },
        "--deadline",
        "1",
        "--concurrency",
        "8"
      )
    )
    assert.deepInclude(result, { asked: 480, failed: 0, unscored: 0 })
    assert.deepStrictEqual(
      result.servers.map(({ state }: any) => state),
      ["down", "ok", "down", "down"]
    )
    assert.deepStrictEqual(
      [...good.asked.values()],
      Array.from({ length: 60 }, () => 8)
    )
  })
})
