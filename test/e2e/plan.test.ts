/** `gradus plan`: batches before any GPU, several curricula on one pool, charts as files; and pools that are odd. */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { directory, gradus, lastLine } from "../gradus.ts"
import { jsonLines, rated, rowsFile, write } from "../rows.ts"

const manifest = `version: 1
name: other
questions: {kind: sorting, train: 10, heldout: 1, hard: 1}
prompt: {template: "{mode}{question}", mode: {on: "+", off: "-"}}
policy: {kind: huggingface, path: policy}
sampling: {max_tokens: 10}
curriculum: {batcher: reversed}
train: {prompts_per_step: 2, samples_per_prompt: 2, learning_rate: {peak: 1}}
`
const counts = ["--passed", "k", "--n", "8"]
const of = (input: string, size: number, ...more: ReadonlyArray<string>) =>
  gradus("plan", "--input", input, ...counts, "--prompts-per-step", String(size), ...more)

describe("gradus plan", () => {
  it("prints a batch a line from pass rates alone: every kept question once, from easy to hard", async () => {
    const input = rated()
    const first = await of(input, 6, "--seed", "3", "--json")
    assert.strictEqual(first.code, 0, first.stderr)
    const batches = jsonLines(first.stdout)
    const keys = ["batch", "questions", "targetMean", "achievedMean", "fill", "fillShare", "distance", "totalVariation"]
    assert.deepStrictEqual(Object.keys(batches[0]), keys)
    // what is known of the plan as a whole stands in the line of its last batch
    const { notes, pools, warnings, ...last } = batches[2]
    assert.deepStrictEqual(Object.keys(last), keys)
    assert.deepStrictEqual([notes, warnings], [[], []])
    assert.deepStrictEqual(
      pools.map(({ dry_after, questions, rate }: any) => [rate, questions, dry_after]),
      [
        [0, 3, 3],
        [1 / 8, 3, 3],
        [2 / 8, 3, 3],
        [3 / 8, 3, 2],
        [4 / 8, 3, 2],
        [5 / 8, 3, 1]
      ]
    )
    assert.deepStrictEqual(
      batches.map(({ batch }) => batch),
      [1, 2, 3]
    )
    assert.strictEqual(batches[0].targetMean, 5 / 8)
    assert.strictEqual(batches[2].targetMean, 0)
    const ids = batches.flatMap(({ questions }) => questions)
    const kept = Array.from({ length: 27 }, (_, i) => i)
      .filter((i) => i % 9 <= 5)
      .map((i) => `q${i}`)
    assert.sameMembers(ids, kept)
    const means = batches.map(
      ({ questions }) =>
        questions.reduce((sum: number, id: string) => sum + (Number(id.slice(1)) % 9) / 8, 0) / questions.length
    )
    assert.deepStrictEqual(
      batches.map(({ achievedMean }) => achievedMean),
      means
    )
    assert.isAbove(means[0] ?? 0, means[2] ?? 1)
    for (const { fill, fillShare } of batches) assert.strictEqual(fillShare, fill / 6)
    assert.strictEqual((await of(input, 6, "--seed", "3", "--json")).stdout, first.stdout)
  })

  it("says for whom reads when each pool runs dry, and what is odd", async () => {
    const ended = await of(rated(), 6)
    assert.strictEqual(ended.code, 0)
    assert.match(ended.stdout, /^batch {2}questions {2}target {2}mean pass rate {2,}fill {2}distance\n1 +6 +0\.625/)
    assert.match(ended.stdout, /\npool +questions +first batch +dry after +left\n0\.000 +3 /)
  })

  it("compares curricula on one pool: by name, by settings, from a manifest", async () => {
    const other = write("other.yaml", manifest)
    const compare = ["uniform", "even=gaussian", "wide={batcher: gaussian, sigma: 0.3}", other].flatMap((one) => [
      "--compare",
      one
    ])
    const { curricula } = lastLine(await of(rated(), 6, "-s", "curriculum.centre=quantile", ...compare, "--json"))
    assert.deepStrictEqual(
      curricula.map(({ name }: any) => name),
      ["gaussian", "uniform", "even", "wide", "reversed"]
    )
    for (const { batches, pools, summary } of curricula) {
      assert.deepInclude(summary, { batches: 3, questions: 18 })
      assert.lengthOf(batches, 3)
      assert.deepStrictEqual(
        pools.map(({ questions, rate }: any) => [rate, questions]),
        [0, 1, 2, 3, 4, 5].map((k) => [k / 8, 3])
      )
      const last = Math.max(...pools.map((pool: any) => pool.dry_after))
      assert.strictEqual(last, 3)
    }
    const [quantile, uniform, , wide, reversed] = curricula.map(({ summary }: any) => summary)
    assert.strictEqual(quantile.fill_share, 0)
    assert.isNull(uniform.distance)
    assert.isAbove(wide.first_mean, wide.last_mean)
    assert.strictEqual(reversed.order, 1)
    // p^16 + (1 - p)^16 over the pool is the same in whatever order it is asked
    assert.closeTo(reversed.silent_share, uniform.silent_share, 1e-12)
  })

  it("writes a page, charts in three forms, the reports and the plans", async () => {
    const output = join(directory(), "plans")
    const ended = await of(rated(), 6, "--compare", "uniform", "--output", output)
    assert.strictEqual(ended.code, 0, ended.stderr)
    const charts = [
      "gaussian-plan-composition",
      "gaussian-plan-depletion",
      "gaussian-plan-distance",
      "gaussian-plan-target"
    ]
    const all = [
      ...charts,
      "plan-comparison",
      "uniform-plan-composition",
      "uniform-plan-depletion",
      "uniform-plan-target"
    ]
    assert.deepStrictEqual(
      readdirSync(join(output, "figures")).toSorted(),
      all.flatMap((name) => [`${name}.png`, `${name}.svg`, `${name}.vl.json`]).toSorted()
    )
    assert.deepStrictEqual(readdirSync(output).toSorted(), [
      "figures",
      "gaussian.plan.parquet",
      "plan.html",
      "plans.json",
      "uniform.plan.parquet"
    ])
    const page = readFileSync(join(output, "plan.html"), "utf8")
    for (const name of all) assert.include(page, `id="figure-${name}"`)
    assert.notMatch(page, /<script|https?:\/\/(?!www\.w3\.org)/u)
    const { plans } = JSON.parse(readFileSync(join(output, "plans.json"), "utf8"))
    assert.deepStrictEqual(
      plans.map(({ report }: any) => [report.name, report.batches.length]),
      [
        ["gaussian", 3],
        ["uniform", 3]
      ]
    )
  })
})

describe("what cannot be planned", () => {
  it.each([
    ["half of the options", ["--input", "x.jsonl"], "--prompts-per-step"],
    ["a manifest and a file", ["m.yaml", "--input", "x.jsonl"], "a manifest or --input, not both"]
  ])("%s: what is missing is said, with the exit code of a usage error", async (_, args, message) => {
    const ended = await gradus("plan", ...args, "--json")
    assert.strictEqual(ended.code, 2)
    assert.include(ended.stderr, message)
  })

  it("a setting that does not exist, and one that cannot be, by key", async () => {
    const input = rated()
    const unknown = await of(input, 6, "-s", "curriculum.sgma=1")
    assert.strictEqual(unknown.code, 2)
    assert.include(unknown.stderr, "curriculum.sgma: unknown key; did you mean `sigma`?")
    const none = await of(input, 0)
    assert.strictEqual(none.code, 2)
    assert.include(none.stderr, "train.prompts_per_step: must be")
    const learns = await of(input, 6, "--compare", "adarft")
    assert.strictEqual(learns.code, 2)
    assert.include(learns.stderr, "curriculum.batcher: adarft learns from what comes of each batch")
  })

  it("a pool of which the filter keeps nothing: it says why, and writes nothing", async () => {
    const output = join(directory(), "out")
    const ended = await of(rowsFile([{ id: "a", k: 8 }]), 2, "--output", output)
    assert.strictEqual(ended.code, 2)
    assert.include(ended.stderr, "keeps none of 1 questions")
    assert.include(ended.stderr, "1 have a pass rate of 0.75 or more")
    assert.isFalse(existsSync(output))
  })
})

describe("pools that are odd", () => {
  it("one level is one order, which is said; a batch larger than the pool takes the pool", async () => {
    const ended = await of(
      rowsFile([
        { id: "a", k: 2 },
        { id: "b", k: 2 },
        { id: "c", k: 2 }
      ]),
      8,
      "--json"
    )
    assert.strictEqual(ended.code, 0)
    const [batch, ...others] = jsonLines(ended.stdout)
    assert.lengthOf(others, 0)
    assert.deepInclude(batch, { batch: 1, targetMean: 0.25, achievedMean: 0.25, fill: 0, distance: 0 })
    assert.sameMembers(batch.questions, ["a", "b", "c"])
    assert.deepStrictEqual(batch.pools, [
      { domain: "", rate: 0.25, questions: 3, first_batch: 1, dry_after: 1, left: 0 }
    ])
    assert.match(batch.warnings.join("\n"), /all questions have the pass rate 0.25/)
    assert.include(ended.stderr, "all questions have the pass rate 0.25: every order of them is the same curriculum")
  })

  it("domains keep their ratios in every batch", async () => {
    const ended = await of(rated(), 6, "--domain", "topic", "--json")
    for (const { questions } of jsonLines(ended.stdout))
      assert.strictEqual(questions.filter((id: string) => Number(id.slice(1)) % 2 === 0).length, 3)
  })
})
