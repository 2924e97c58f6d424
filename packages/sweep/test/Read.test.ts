/** Sweeps as they are written: what they multiply out to, and what is wrong with them by file:line:col. */
import { assert, describe, it } from "@effect/vitest"
import { toValue } from "@gradus/manifest/Tree"
import * as Result from "effect/Result"
import { readSweep } from "../src/Read.ts"

const head = "version: 1\nname: s\nbase: base.yaml\nseeds: [1, 2]\n"
const read = (text: string) => readSweep({ file: "s.yaml", text: head + text })
const arms = (text: string) =>
  Result.getOrThrow(read(text)).arms.map(({ name, settings }) => [
    name,
    Object.fromEntries(settings.map((one) => [one.name, toValue(one.value)]))
  ])
const errors = (text: string): ReadonlyArray<string> => {
  const result = read(text)
  return Result.isFailure(result) ? result.failure.message.split("\n") : []
}

describe("axes", () => {
  it("multiply, the last one fastest; settings of `set` are in every arm", () => {
    assert.deepStrictEqual(
      arms(`
set: {train.steps: 5}
axes:
  - list: {a: {curriculum.sigma: 0.1}, b: {curriculum: {batcher: uniform}}}
  - grid: {profile.samples: [4, 8]}
`),
      [
        ["a, profile.samples=4", { "train.steps": 5, "curriculum.sigma": 0.1, "profile.samples": 4 }],
        ["a, profile.samples=8", { "train.steps": 5, "curriculum.sigma": 0.1, "profile.samples": 8 }],
        ["b, profile.samples=4", { "train.steps": 5, curriculum: { batcher: "uniform" }, "profile.samples": 4 }],
        ["b, profile.samples=8", { "train.steps": 5, curriculum: { batcher: "uniform" }, "profile.samples": 8 }]
      ]
    )
  })
  it("link values that go together", () => {
    assert.deepStrictEqual(
      arms("axes: [{linked: {train.prompts_per_step: [16, 32], train.samples_per_prompt: [32, 16]}}]").map(
        ([, settings]) => settings
      ),
      [
        { "train.prompts_per_step": 16, "train.samples_per_prompt": 32 },
        { "train.prompts_per_step": 32, "train.samples_per_prompt": 16 }
      ]
    )
  })
  it("draw at random from a seed of their own: more draws or parameters change no earlier value", () => {
    const rate = "train.learning_rate.peak: {log_uniform: [0.0001, 0.1]}"
    const few = arms(`axes: [{random: {draws: 3, parameters: {${rate}}}}]`)
    const more = arms(
      `axes: [{random: {draws: 5, parameters: {${rate}, profile.samples: {integer: [2, 4]}, curriculum.centre: {choice: [linear, cosine]}}}}]`
    )
    // settings are JSON by path; a path's type is its schema's, which is not looked at here
    const peaks = (drawn: typeof few) => drawn.map(([, settings]) => (settings as any)["train.learning_rate.peak"])
    assert.deepStrictEqual(peaks(more).slice(0, 3), peaks(few))
    assert.isTrue(peaks(more).every((peak: number) => peak >= 0.0001 && peak <= 0.1))
    const samples = more.map(([, settings]) => (settings as any)["profile.samples"])
    assert.isTrue(samples.every((n: number) => [2, 3, 4].includes(n)))
    const other = arms(`axes: [{random: {draws: 3, draw_seed: 1, parameters: {${rate}}}}]`)
    assert.notDeepEqual(peaks(other), peaks(few))
  })
  it("take a point once that is drawn again", () => {
    const drawn = arms("axes: [{random: {draws: 20, parameters: {profile.samples: {integer: [2, 4]}}}}]")
    assert.sameMembers(
      drawn.map(([, settings]) => (settings as any)["profile.samples"]),
      [2, 3, 4]
    )
    assert.match(String(drawn[0]?.[0]), /^draw 1: /)
  })
  it("give arms names of their own where a cut, or a value's type, would make them equal; other names stay as they are", () => {
    const long = (letters: string) =>
      `{kind: sorting, train: 48, heldout: 10, hard: 5, off_share: 0.25, hard_letters: [${letters}]}`
    const names = arms(`axes: [{grid: {questions: [${long("14")}, ${long("16")}]}}]`).map(([name]) => String(name))
    const cut = `questions=${JSON.stringify({ kind: "sorting", train: 48, heldout: 10, hard: 5, off_share: 0.25 }).slice(0, 60)}…`
    for (const name of names) assert.match(name.replace(cut, ""), /^ #[0-9a-f]{12}$/)
    assert.notStrictEqual(names[0], names[1])
    assert.deepStrictEqual(
      arms(`axes: [{grid: {questions: [${long("14")}]}}]`).map(([name]) => name),
      [cut]
    )
    const typed = arms('axes: [{grid: {policy.path: [a, "1", 1]}}]').map(([name]) => String(name))
    assert.strictEqual(typed[0], "policy.path=a")
    assert.strictEqual(new Set(typed).size, 3)
  })
  it("are one arm, `base`, where none is written", () => assert.deepStrictEqual(arms(""), [["base", {}]]))
})

describe("mistakes in a sweep", () => {
  it("name their place", () => {
    assert.deepStrictEqual(errors("axes:\n  - grid: {seed: [1, 2]}\n"), [
      "s.yaml:6:12 axes[0].grid.seed: seeds are an axis of their own, never a parameter; list them under `seeds`"
    ])
    assert.deepStrictEqual(errors("axes:\n  - grid: {train.steps: [1, 2, 1]}\n"), [
      's.yaml:6:32 axes[0].grid."train.steps": the same value stands on line 6'
    ])
    assert.deepStrictEqual(errors("axes:\n  - grid: {train.steps: [1]}\n  - grid: {train: [{steps: 2}]}\n"), [
      "s.yaml:7:12 train: is set twice: `train.steps` on line 6 covers the same value"
    ])
    assert.deepStrictEqual(errors("axes:\n  - linked: {a.b: [1, 2], a.c: [1]}\n"), [
      's.yaml:6:27 axes[0].linked."a.c": has 1 values where `a.b` has 2'
    ])
    assert.deepStrictEqual(errors("baseline: none\n"), ["s.yaml:5:11 baseline: is no arm; arms are base"])
    assert.deepStrictEqual(errors("axes: [{grid: {name: [a]}}]\n"), [
      "s.yaml:5:16 axes[0].grid.name: changes no result, so it cannot be swept"
    ])
    assert.deepStrictEqual(errors("axes: [{}]\n"), [
      "s.yaml:5:8 axes[0]: give one of grid, list, linked, random; axes multiply"
    ])
    assert.deepStrictEqual(errors("early_stop: {rule: successive_halving, rungs: [4, 2]}\n"), [
      "s.yaml:5:47 early_stop.rungs: must rise"
    ])
    assert.deepStrictEqual(errors("axes: [{random: {draws: 1, parameters: {a.b: {log_uniform: [0, 1]}}}}]\n"), [
      's.yaml:5:46 axes[0].random.parameters."a.b": a logarithm needs numbers above 0'
    ])
  })
  it("are found in seeds too", () => {
    const result = readSweep({ file: "s.yaml", text: "version: 1\nname: s\nbase: b\nseeds: [3, 4, 3]\nsede: 1\n" })
    assert.include(String(Result.isFailure(result) && result.failure.message), "s.yaml:5:1 sede: unknown key")
    const twice = readSweep({ file: "s.yaml", text: "version: 1\nname: s\nbase: b\nseeds: [3, 4, 3]\n" })
    assert.deepStrictEqual(
      Result.isFailure(twice) && twice.failure.message,
      "s.yaml:4:15 seeds[2]: seed 3 is listed twice"
    )
  })
})
