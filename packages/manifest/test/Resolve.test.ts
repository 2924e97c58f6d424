/** From files and overrides to one resolved manifest: defaults, merging, identity, provenance, and errors that people can act on. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { resolve, type ResolvedManifest } from "../src/Resolve.ts"
import { good, linesOf, overridden, resolved } from "./GoodManifest.ts"

const layered = (...texts: ReadonlyArray<string>) =>
  resolve(
    texts.map((text, i) => ({ file: `${i}.yaml`, text })),
    []
  )
const over = (...texts: ReadonlyArray<string>): ResolvedManifest => Result.getOrThrow(layered(good, ...texts))
const digestWith = (...overrides: ReadonlyArray<string>) => resolved(good, ...overrides).digest
const from = (result: ResolvedManifest, path: string) => result.provenance.find((row) => row.path === path)

describe("defaults", () => {
  it("fill what is not written", () => {
    const { manifest } = resolved()
    assert.strictEqual(manifest.seed, 0)
    assert.deepInclude(manifest.trainer, { kind: "embedded", threads: 2, chunk_prompts: 64 })
    assert.deepStrictEqual(manifest.curriculum, {
      batcher: "gaussian",
      sigma: 0.12,
      centre: "linear",
      last_batch: "partial"
    })
    assert.deepStrictEqual(manifest.train.loss, {
      kind: "clipped",
      clip_low: 0.2,
      clip_high: 0.2,
      kl_coef: 0,
      entropy_coef: 0,
      importance: { kind: "none" }
    })
    assert.strictEqual(manifest.filter.drop_at, 0.75)
  })
  it("are not in what was written", () => {
    assert.deepStrictEqual(Object.keys(resolved().written as object), [
      "version",
      "name",
      "questions",
      "prompt",
      "policy",
      "sampling",
      "warmup",
      "train"
    ])
  })
})

describe("merging", () => {
  it("lays maps over one another and replaces lists and scalars", () => {
    const { manifest } = over("train: {steps: 3}\nquestions: {hard_letters: [20]}\n", "name: third\n")
    assert.strictEqual(manifest.train.steps, 3)
    assert.strictEqual(manifest.train.prompts_per_step, 32)
    assert.deepInclude(manifest.questions, { kind: "sorting", hard_letters: [20] })
    assert.strictEqual(manifest.name, "third")
  })
  it("keeps nothing of a map that says another kind", () => {
    const { manifest } = over("policy: {kind: huggingface, path: weights}\n")
    assert.deepStrictEqual(manifest.policy, { kind: "huggingface", path: "weights" })
    const service = "trainer: {kind: service, url: 'http://h:1', token: {env: T}}\n"
    assert.strictEqual(Result.isSuccess(layered(good, "trainer: {threads: 4, kind: embedded}\n", service)), true)
  })
  it("names the file that an error stands in", () => {
    const result = layered(good, "# base\ntrain: {stepz: 3}\n", "seed: x\n")
    assert.strictEqual(
      Result.isFailure(result) && result.failure.message,
      "1.yaml:2:9 train.stepz: unknown key; did you mean `steps`?\n2.yaml:1:7 seed: must be a number, not a text"
    )
  })
})

describe("overrides", () => {
  it("set values, make the maps on their way, and win over files and earlier overrides", () => {
    const { manifest } = resolved(good, "seed=3", "filter.floor=0.1", "train.learning_rate.peak=1e-4", "seed=4")
    assert.strictEqual(manifest.seed, 4)
    assert.strictEqual(manifest.filter.floor, 0.1)
    assert.strictEqual(manifest.train.learning_rate.peak, 0.0001)
    assert.strictEqual(manifest.train.learning_rate.warmup_updates, 5)
  })
  it("keep the kind that a key has by default", () => {
    const result = resolved(good, "curriculum.sigma=0.2", "trainer.threads=1")
    assert.deepInclude(result.manifest.curriculum, { batcher: "gaussian", sigma: 0.2 })
    assert.deepInclude(result.manifest.trainer, { kind: "embedded", threads: 1 })
    assert.deepStrictEqual(from(result, "trainer.kind")?.from, { kind: "default" })
    assert.deepInclude(resolved(good, "curriculum.last_batch=drop", "curriculum.batcher=uniform").manifest.curriculum, {
      batcher: "uniform"
    })
  })
  it("replace a whole value, also by YAML in flow form", () => {
    assert.deepInclude(resolved(good, "curriculum={batcher: uniform}").manifest.curriculum, { batcher: "uniform" })
    assert.deepInclude(resolved(good, "questions.hard_letters=[13, 26]").manifest.questions, { hard_letters: [13, 26] })
  })
  it("reach into lists by index, in either spelling", () => {
    const path = "policy.tokenizer.tokens"
    for (const text of [`${path}[5]=<assistant>`, `${path}.6='<x>'`]) assert.doesNotThrow(() => resolved(good, text))
    assert.deepStrictEqual(overridden(`${path}[9]=x`), [`${path}[9]: the list has 6 items`])
    assert.deepStrictEqual(overridden("questions.hard_letters[0]=15"), [
      "questions.hard_letters[0]: the list is not written in the manifest; set all of it"
    ])
  })
  it("keep what follows the first equals sign", () => {
    assert.strictEqual(resolved(good, "description=a=b").manifest.description, "a=b")
  })
  it("fail as files do, with the override as the place", () => {
    assert.deepStrictEqual(
      linesOf(good, "train.advantge=grpo", "train.advantage=grppo", "zz", "a..b=1", "extends=x"),
      [
        "-s train.advantge=grpo:1:1 train.advantge: unknown key; did you mean `advantage`?",
        "-s train.advantage=grppo:1:1 train.advantage: must be one of grpo, dr_grpo, rloo, loo_std; did you mean `grpo`?",
        "-s:1:1 manifest: an override is written path=value, like train.steps=10",
        "-s a..b=1:1:1 manifest: an override is written path=value, like train.steps=10",
        "-s extends=x:1:1 extends: cannot be overridden"
      ].toSorted((a, b) => order(a) - order(b))
    )
  })
  it("cannot reach a prototype", () => {
    for (const path of ["__proto__.polluted", "constructor.prototype.polluted", "train.__proto__.polluted"])
      assert.match(overridden(`${path}=true`)[0]!, /unknown key$/)
    assert.isUndefined(({} as Record<string, unknown>)["polluted"])
  })
})

/** Overrides whose text is wrong are found before those whose value is. */
const order = (line: string): number => (/path=value|cannot be overridden/.test(line) ? 0 : 1)

describe("identity", () => {
  it("leaves out names, the report, and where the trainer is", () => {
    const same = digestWith()
    assert.match(same, /^[0-9a-f]{64}$/)
    assert.strictEqual(digestWith("name=other", "description=x", "report.examples=1"), same)
    const service = (url: string, env: string) =>
      digestWith(`trainer={kind: service, url: '${url}', token: {env: ${env}}}`)
    assert.strictEqual(service("http://a:1", "A"), service("http://b:2", "B"))
    assert.notStrictEqual(service("http://a:1", "A"), same)
  })
  it("does not depend on what is left to a default, on order, or on the layout", () => {
    assert.strictEqual(digestWith("seed=0", "evaluate={samples: 2}"), digestWith())
    const [head, ...rest] = good.split("\n")
    assert.strictEqual(resolved(`# x\r\n${[...rest, head].join("\r\n")}`).digest, digestWith())
  })
  it.each(["seed=1", "trainer.threads=1", "trainer.chunk_prompts=8", "train.steps=51", "sampling.temperature=0.5"])(
    "changes with %s",
    (text) => assert.notStrictEqual(digestWith(text), digestWith())
  )
})

describe("provenance", () => {
  it("knows the file, the override or the default of every value", () => {
    const result = resolved(good, "train.steps=7")
    assert.deepStrictEqual(from(result, "sampling.max_tokens"), {
      path: "sampling.max_tokens",
      value: 40,
      from: { kind: "file", file: "m.yaml", line: 14, col: 24 }
    })
    assert.deepStrictEqual(from(result, "train.steps")?.from, { kind: "override", text: "-s train.steps=7" })
    assert.deepStrictEqual(from(result, "trainer.kind"), {
      path: "trainer.kind",
      value: "embedded",
      from: { kind: "default" }
    })
    assert.deepStrictEqual(from(result, "questions.hard_letters")?.value, [14, 16])
  })
  it("splits a list whose items come from several places", () => {
    const result = resolved(good, "policy.tokenizer.tokens[6]='<x>'")
    assert.deepStrictEqual(from(result, "policy.tokenizer.tokens[0]")?.from.kind, "file")
    assert.deepStrictEqual(from(result, "policy.tokenizer.tokens[6]")?.from.kind, "override")
  })
  it("covers the whole resolved manifest", () => {
    const result = resolved()
    const leaves = (value: unknown): number =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.values(value).reduce<number>((sum, inner) => sum + leaves(inner), 0)
        : 1
    assert.strictEqual(result.provenance.length, leaves(result.manifest))
  })
})
