/** Verification: finds nothing in what is untouched, and each thing that was changed; runs a cell again from nothing. */
import { assert, describe, it } from "@effect/vitest"
import { decodeRows, encodeRows } from "@gradus/datasets/Parquet"
import { FilterRow } from "@gradus/domain/Profile"
import * as EmbeddedRunLease from "@gradus/store/EmbeddedRunLease"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { createHash } from "node:crypto"
import { storedResult } from "../src/Result.ts"
import { sweepRecord, writeReport } from "../src/Report.ts"
import { status } from "../src/Status.ts"
import { verify } from "../src/Verify.ts"
import { base, engines, origin, sweep } from "./simulated.ts"

const text = `
version: 1
name: checked
base: base.yaml
seeds: [1, 2]
axes:
  - list:
      gaussian: {curriculum.sigma: 0.2}
      balanced: {curriculum: {batcher: balanced}}
      dapo: {curriculum: {batcher: uniform}, gate: {low: 0, high: 1}}
`

/** Two tensors, not in the order of their names, as a safetensors file; and their digest as docs/algorithms.md spells it. */
const header = new TextEncoder().encode(
  JSON.stringify({
    __metadata__: { format: "pt" },
    b: { dtype: "F32", shape: [2], data_offsets: [0, 8] },
    a: { dtype: "F32", shape: [1, 1], data_offsets: [8, 12] }
  })
)
const numbers = Uint8Array.from({ length: 12 }, (_, i) => i)
const length = new Uint8Array(new BigUint64Array([BigInt(header.length)]).buffer)
const safetensors = Uint8Array.from([...length, ...header, ...numbers])
const expectedWeights = createHash("sha256")
  .update("a\0float32\u00001,1\0")
  .update(numbers.subarray(8))
  .update("b\0float32\u00002\0")
  .update(numbers.subarray(0, 8))
  .digest("hex")

const finished = Effect.fnUntraced(function* (written = text) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const root = yield* fs.makeTempDirectoryScoped()
  yield* fs.writeFileString(path.join(root, "base.yaml"), base)
  yield* fs.writeFileString(path.join(root, "sweep.yaml"), written)
  const swept = yield* sweep(path.join(root, "sweep.yaml"), path.join(root, "runs"))
  const check = (rerun: boolean) =>
    verify({ ...swept, origin, engines: engines(), rerun }).pipe(Effect.provide(EmbeddedRunLease.layer))
  return { ...swept, fs, path, check }
})

describe("a finished sweep", () => {
  it.live(
    "is verified by hashing all of it and by running a cell again, and its report is drawn from summaries alone",
    () =>
      Effect.gen(function* () {
        const { check, fs, path, place, plan, planned } = yield* finished()
        const verified = yield* check(true)
        assert.deepStrictEqual(verified.changed, [])
        assert.strictEqual(verified.checked, 6)
        assert.isTrue(plan.cells.some(({ id }) => id === verified.rerun?.cell))
        assert.include(verified.rerun?.stages ?? [], "train")

        const cell = plan.cells[0]?.id ?? ""
        const metrics = path.join(place.cell(cell), "metrics.ndjson")
        yield* fs.writeFileString(metrics, (yield* fs.readFileString(metrics)).replace('"loss":', '"loss" :'))
        const update = path.join(place.cell(plan.cells[1]?.id ?? ""), "steps", "000001", "update_0.arrow")
        yield* fs.writeFile(update, (yield* fs.readFile(update)).slice(1))
        const { changed } = yield* check(false)
        assert.deepStrictEqual(
          changed.map((one) => [one.cell, one.what]),
          [
            [cell, "metrics"],
            [plan.cells[1]?.id, "update 1"]
          ]
        )

        const states = yield* status(place, plan).pipe(Effect.provide(EmbeddedRunLease.layer))
        assert.deepStrictEqual([...new Set(states.map(({ state }) => state))], ["finished"])
        for (const { id } of plan.cells) yield* fs.remove(place.cell(id), { recursive: true })
        const comparison = yield* writeReport(yield* sweepRecord(planned.spec, plan, place), place)
        assert.deepStrictEqual(
          comparison.differences.map(({ arm, equalUpdates }) => [arm, equalUpdates.pairs]),
          [
            ["balanced", 2],
            ["dapo", 2]
          ]
        )
        // refilling costs tokens: what a gate turned away was generated too
        const [plain, , refilled] = comparison.arms
        assert.isAbove(refilled?.tokens ?? 0, plain?.tokens ?? Infinity)
        assert.include(yield* fs.readFileString(place.report), "<h1>checked</h1>")
        assert.strictEqual((yield* check(false)).summaries, 6)
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})

/** Changes a file for as long as something is checked. */
const during = Effect.fnUntraced(function* <A, E, R>(
  file: string,
  change: (bytes: Uint8Array) => Uint8Array | Effect.Effect<Uint8Array, unknown, FileSystem.FileSystem>,
  check: Effect.Effect<A, E, R>
) {
  const fs = yield* FileSystem.FileSystem
  const before = yield* fs.readFile(file)
  const made = change(before)
  const after = Effect.isEffect(made) ? yield* made : made
  assert.notDeepEqual(after, before)
  yield* fs.writeFile(file, after)
  const result = yield* check
  yield* fs.writeFile(file, before)
  return result
})

const garbage = () => new TextEncoder().encode("garbage")
const edited = (from: string | RegExp, to: string) => (bytes: Uint8Array) =>
  new TextEncoder().encode(new TextDecoder().decode(bytes).replace(from, to))

describe("an untouched sweep", () => {
  it.live("has no change, however its runs order, weigh and read what they train on", () =>
    Effect.gen(function* () {
      const { check } = yield* finished(`
version: 1
name: various
base: base.yaml
seeds: [1]
axes:
  - list:
      shuffled: {rewards.control: shuffled}
      refreshed: {refresh: {rule: every, steps: 2}}
      several: {train.updates_per_step: 2}
      unread: {curriculum: {batcher: sorted}, evaluate.every: 0}
`)
      const { changed, checked } = yield* check(false)
      assert.deepStrictEqual([checked, changed], [4, []])
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})

describe("what is changed in a finished sweep", () => {
  it.live("is found where it is, and does not keep the other cells from being checked", () =>
    Effect.gen(function* () {
      const { check, fs, path, place, plan } = yield* finished()
      const [first, second] = plan.cells
      if (first === undefined || second === undefined) throw new Error("no cells")
      const at = (...parts: ReadonlyArray<string>) => path.join(place.cell(first.id), ...parts)
      // something is wrong with another cell all along, and must be found each time
      const update = path.join(place.cell(second.id), "steps", "000001", "update_0.arrow")
      yield* fs.writeFile(update, (yield* fs.readFile(update)).slice(1))
      const found = Effect.map(check(false), ({ changed, checked }) => {
        const others = changed.filter(({ cell }) => cell !== first.id)
        assert.deepStrictEqual([checked, others.map(({ cell, what }) => [cell, what])], [6, [[second.id, "update 1"]]])
        return changed.filter(({ cell }) => cell === first.id).map(({ what }) => what)
      })
      const another = (name: string) => () => fs.readFile(at(name))
      const flipped = (bytes: Uint8Array) =>
        Effect.flatMap(decodeRows(FilterRow, bytes), (rows) =>
          encodeRows(
            FilterRow,
            rows.map((row, i) => (i === 0 ? { ...row, kept: !row.kept } : row))
          )
        )

      assert.deepStrictEqual(yield* found, [])
      assert.deepStrictEqual(yield* during(at("profile.parquet"), garbage, found), ["run", "filter and plan"])
      assert.deepStrictEqual(yield* during(at("resolved.json"), garbage, found), ["run", "resolved.json"])
      assert.deepStrictEqual(yield* during(at("filter.parquet"), garbage, found), ["filter and plan"])
      assert.deepStrictEqual(yield* during(at("filter.parquet"), flipped, found), ["filter.parquet"])
      assert.deepStrictEqual(
        yield* during(at("steps", "000002", "rollouts.parquet"), another("steps/000001/rollouts.parquet"), found),
        ["completions of step 2"]
      )
      assert.deepStrictEqual(
        yield* during(at("eval", "heldout", "000004.parquet"), another("eval/heldout/000000.parquet"), found),
        ["completions of heldout after step 4"]
      )
      assert.deepStrictEqual(yield* during(at("eval", "hard", "000000.parquet"), garbage, found), [
        "run",
        "completions of hard after step 0"
      ])
      const summary = place.result(first.id)
      assert.deepStrictEqual(yield* during(summary, (bytes) => bytes.slice(0, -9), found), ["summary"])
      assert.deepStrictEqual(yield* during(summary, () => fs.readFile(place.result(second.id)), found), ["summary"])
      assert.deepStrictEqual(
        yield* during(summary, edited(/"tokens": \d+,\n  "updates"/, '"tokens": 1,\n  "updates"'), found),
        ["last reading of heldout in the summary", "last reading of hard in the summary", "spent"]
      )
      yield* fs.rename(at("events.ndjson"), at("away"))
      assert.deepStrictEqual(yield* found, ["journal"])
      yield* fs.rename(at("away"), at("events.ndjson"))
      yield* fs.rename(summary, `${summary}.away`)
      assert.deepStrictEqual(yield* found, ["summary"])
      yield* fs.rename(`${summary}.away`, summary)
      assert.deepStrictEqual(yield* found, [])
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("is found in a summary alone; a cell that nobody finished is missing, and no change", () =>
    Effect.gen(function* () {
      const { check, fs, place, plan } = yield* finished()
      for (const { id } of plan.cells) yield* fs.remove(place.cell(id), { recursive: true })
      const [first, second] = plan.cells.map(({ id }) => place.result(id))
      if (first === undefined || second === undefined) throw new Error("no cells")
      yield* fs.remove(second)
      const found = Effect.map(check(true), ({ changed, checked, missing, rerun, summaries }) => {
        assert.deepStrictEqual([checked, summaries, missing, rerun], [0, 5, 1, null])
        return changed.map(({ what }) => what)
      })
      assert.deepStrictEqual(yield* found, [])
      const other = "0".repeat(64)
      const cases = [
        [edited(/"manifest_digest": "[0-9a-f]+"/, `"manifest_digest": "${other}"`), "summary's manifest"],
        [edited(/"dataset_digest": "[0-9a-f]+"/, `"dataset_digest": "${other}"`), "summary's dataset"],
        [edited('"seed": 1', '"seed": 7'), "summary's seed"]
      ] as const
      for (const [change, what] of cases) assert.deepStrictEqual(yield* during(first, change, found), [what])
      assert.deepStrictEqual(yield* during(first, edited('"steps": 6', '"steps": 5'), found), [
        "last reading of heldout in the summary",
        "last reading of hard in the summary",
        "steps with a reward in the summary",
        "steps with silent groups in the summary"
      ])
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("is found in the weights that are kept", () =>
    Effect.gen(function* () {
      const { check, fs, path, place, plan } = yield* finished()
      const cell = plan.cells[0]?.id ?? ""
      const digest = (yield* storedResult(place.result(cell), cell))?.digest.weights ?? ""
      const kept = path.join(place.runs, ".artifacts", "policy", digest)
      yield* fs.makeDirectory(kept, { recursive: true })
      yield* fs.writeFile(path.join(kept, "model.safetensors"), safetensors)
      const { changed } = yield* check(false)
      assert.deepStrictEqual(changed, [{ cell, what: "weights artifact", expected: digest, found: expectedWeights }])
      yield* fs.writeFileString(path.join(kept, "model.safetensors"), "torn")
      assert.deepStrictEqual(
        (yield* check(false)).changed.map(({ expected, what }) => [what, expected]),
        [["weights artifact", "readable"]]
      )
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})
