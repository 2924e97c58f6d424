/** Plans: what a cell's identity depends on, and what it does not. */
import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { sweepPlace } from "../src/Place.ts"
import { planSweep } from "../src/Plan.ts"
import { parseShard, shardOf } from "../src/Shard.ts"
import { slurmScript } from "../src/Slurm.ts"
import { base } from "./simulated.ts"

const sweep = `
version: 1
name: planned
base: base.yaml
seeds: [1, 2, 3]
axes:
  - list: {gaussian: {curriculum.sigma: 0.2}, uniform: {curriculum: {batcher: uniform}}}
`
const warmup = "warmup: {steps: 3, examples_per_step: 2, learning_rate: {peak: 0.01}}\n"

const planOf = (text: string, manifest = base) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const root = yield* fs.makeTempDirectoryScoped()
    yield* fs.writeFileString(path.join(root, "base.yaml"), manifest)
    yield* fs.writeFileString(path.join(root, "sweep.yaml"), text)
    return yield* planSweep(path.join(root, "sweep.yaml"))
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

const ids = ({ plan }: Effect.Success<ReturnType<typeof planOf>>) => plan.cells.map(({ id }) => id)

describe("a plan", () => {
  it.effect(
    "has the same cells whatever the sweep and the manifest are called, wherever they lie, and in whatever form they are written",
    () =>
      Effect.gen(function* () {
        const first = yield* planOf(sweep)
        const other = yield* planOf(
          sweep
            .replace("planned", "renamed")
            .replace("{curriculum.sigma: 0.2}", "{curriculum: {batcher: gaussian, sigma: 0.2}}"),
          `# a comment\n${base.replace("name: simulated", "name: other")}report: {examples: 2}\n`
        )
        assert.deepStrictEqual(ids(other), ids(first))
        assert.strictEqual(other.plan.digest, first.plan.digest)
        assert.strictEqual(new Set(ids(first)).size, 6)
      })
  )

  it.effect("has other cells for another setting, seed or question", () =>
    Effect.gen(function* () {
      const first = ids(yield* planOf(sweep))
      const common = (others: ReadonlyArray<string>) =>
        others.filter((id) => (first as ReadonlyArray<string>).includes(id))
      assert.lengthOf(common(ids(yield* planOf(sweep.replace("[1, 2, 3]", "[3, 4]")))), 2)
      assert.lengthOf(common(ids(yield* planOf(sweep.replace("0.2", "0.21")))), 3)
      assert.lengthOf(common(ids(yield* planOf(sweep, base.replace("train: 48", "train: 49")))), 0)
      assert.lengthOf(common(ids(yield* planOf(sweep, base.replace("max_tokens: 64", "max_tokens: 63")))), 0)
    })
  )

  it.effect(
    "shares the warm-up and the profile of a seed between its arms, and not a profile that an arm changes",
    () =>
      Effect.gen(function* () {
        const shared = (text: string) =>
          Effect.map(planOf(text, base + warmup), ({ plan }) =>
            plan.shared.map(({ cells, stage }) => `${stage} ${cells}`)
          )
        assert.deepStrictEqual(yield* shared(sweep.replace("[1, 2, 3]", "[1]")), ["warmup 2", "profile 2"])
        const sampled = sweep.replace("[1, 2, 3]", "[1]").replace("sigma: 0.2}", "sigma: 0.2, profile.samples: 2}")
        assert.deepStrictEqual(yield* shared(sampled), ["warmup 2", "profile 1", "profile 1"])
      })
  )

  it.effect(
    "refuses a setting that no manifest has at its place, an arm under two names, and a rung without a reading",
    () =>
      Effect.gen(function* () {
        const unknown = yield* Effect.flip(planOf(sweep.replace("curriculum.sigma: 0.2", "curriculum.sigmar: 0.2")))
        assert.match(String(unknown), /sweep\.yaml:7:\d+ curriculum\.sigmar: unknown key.*did you mean `sigma`/)
        const wrong = yield* Effect.flip(planOf(sweep.replace("curriculum.sigma: 0.2", "curriculum.sigma: -1")))
        assert.match(String(wrong), /sweep\.yaml:7:\d+ curriculum\.sigma: /)
        const twice = yield* Effect.flip(
          planOf(sweep.replace("curriculum.sigma: 0.2", "curriculum: {batcher: uniform}"))
        )
        assert.include(String(twice), "the arms `gaussian` and `uniform` resolve to the same manifest")
        const rung = yield* Effect.flip(planOf(`${sweep}early_stop: {rule: successive_halving, rungs: [3]}\n`))
        assert.include(String(rung), "arm `gaussian` has no reading at rung 3")
      })
  )
})

describe("an arm", () => {
  it.effect("has its own manifest, however much its name is like another's", () =>
    Effect.gen(function* () {
      const questions = (letters: number) =>
        `{kind: sorting, train: 48, heldout: 10, hard: 5, off_share: 0.25, hard_letters: [${letters}]}`
      const planned = yield* planOf(
        `version: 1\nname: n\nbase: base.yaml\nseeds: [1]\naxes: [{grid: {questions: [${questions(14)}, ${questions(16)}]}}]\n`
      )
      const letters = planned.plan.cells.map((cell) => {
        const own = planned.manifestOf(cell).questions
        return own.kind === "sorting" ? own.hard_letters : []
      })
      assert.deepStrictEqual(letters, [[14], [16]])
      // also where a plan that is stored calls both the same
      const [, second] = planned.plan.cells
      if (second === undefined) throw new Error("no cell")
      const own = planned.manifestOf({ ...second, arm: planned.plan.cells[0]?.arm ?? "" }).questions
      assert.deepStrictEqual(own.kind === "sorting" && own.hard_letters, [16])
    })
  )
})

describe("the metric of a sweep", () => {
  const early = "early_stop: {rule: successive_halving, rungs: [2]}\n"
  it.effect("is a set that the questions have, and with early_stop the one that is read at its rungs", () =>
    Effect.gen(function* () {
      const nonsense = yield* Effect.flip(planOf(`${sweep}metric: {set: nonsense}\n`))
      assert.match(
        String(nonsense),
        /sweep\.yaml:8:15 metric\.set: `nonsense` is no evaluation set of the questions; there are heldout \| hard/
      )
      const late = yield* Effect.flip(planOf(`${sweep}metric: {set: hard}\n${early}`))
      assert.match(
        String(late),
        /sweep\.yaml:8:15 metric\.set: `hard` is not read at the rungs of early_stop: on the way only the first set is, `heldout`/
      )
      yield* planOf(`${sweep}metric: {set: hard}\n`)
    })
  )

  it.effect("is part of the plan's digest where it decides what runs, and so is the baseline", () =>
    Effect.gen(function* () {
      const digest = (more: string) => Effect.map(planOf(sweep + more), ({ plan }) => plan.digest)
      const plain = yield* digest("")
      assert.strictEqual(yield* digest("metric: {set: hard}\nbaseline: uniform\n"), plain)
      const ruled = yield* digest(early)
      assert.notStrictEqual(ruled, plain)
      assert.strictEqual(yield* digest(`${early}metric: {set: heldout}\nbaseline: gaussian\n`), ruled)
      assert.notStrictEqual(yield* digest(`${early}baseline: uniform\n`), ruled)
    })
  )
})

describe("shards", () => {
  it.effect("take every cell once, and cells of one profile go together while there are enough of these", () =>
    Effect.gen(function* () {
      const { plan } = yield* planOf(sweep)
      for (const of of [1, 2, 3, 5]) {
        const dealt = Array.from({ length: of }, (_, index) => shardOf(plan.cells, { index, of }))
        assert.sameMembers(
          dealt.flat().map(({ id }) => id),
          plan.cells.map(({ id }) => id)
        )
        const profiles = dealt.map((cells) => new Set(cells.map(({ profile }) => profile)).size)
        if (of <= 3)
          assert.strictEqual(
            profiles.reduce((sum, count) => sum + count),
            3
          )
      }
      assert.deepStrictEqual(parseShard("2/3"), { index: 2, of: 3 })
      for (const text of ["3/3", "-1/3", "1", "1/0", "a/b"]) assert.isUndefined(parseShard(text))
    })
  )

  it("are what the tasks of an array job get, whatever is in the paths", () => {
    const script = slurmScript({
      name: "s",
      gradus: "/opt/gra dus",
      sweep: "/a/it's.yaml",
      runs: "/runs",
      tasks: 8,
      atOnce: 4,
      cpus: 2,
      gpus: 1,
      time: "02:00:00",
      partition: undefined
    })
    assert.include(script, "#SBATCH --array=0-7%4\n")
    assert.include(script, "#SBATCH --gpus-per-task=1\n")
    assert.notInclude(script, "partition")
    assert.include(
      script,
      `'/opt/gra dus' sweep run '/a/it'\\''s.yaml' --runs '/runs' --shard "\${SLURM_ARRAY_TASK_ID}/8" --json &`
    )
  })
})

describe("places", () => {
  it.effect("of cells do not depend on the sweep", () =>
    Effect.gen(function* () {
      const id = "0123456789abcdef".repeat(4)
      const place = yield* sweepPlace("/runs", "a", undefined)
      assert.strictEqual(place.cell(id), "/runs/cell--0123456789abcdef")
      assert.strictEqual(place.result(id), "/runs/sweeps/a/results/0123456789abcdef.json")
      assert.strictEqual((yield* sweepPlace("/runs", "b", "/r")).result(id), "/r/0123456789abcdef.json")
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
