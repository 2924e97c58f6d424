/** Flags without effect: the whole command line in process, none of whose ports is reached before a usage error. */
import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { Engines } from "../src/Engines.ts"
import { gradus } from "../src/Gradus.ts"
import { unused } from "../src/UnusedFlags.ts"

const failed = (line: string) =>
  Command.runWith(gradus, { version: "0" })(line.split(" ")).pipe(
    Effect.flip,
    Effect.map((error) => [error._tag, "message" in error ? error.message : ""]),
    Effect.provide(NodeServices.layer),
    Effect.provideService(Engines, {} as Engines["Service"])
  )

const served = "profile --input q.jsonl --endpoint http://h --model m --output o"
const columns = "--input r.jsonl --passed k --n 8"
const manifests = "with a manifest, which names its own questions, policy and rules: -s overrides them"
const pools = "with --to prime-rl: it draws its own batches from every rated question"
const logs = "with --to inspect: the run's evaluations are written as they are"
const own = "without --input: a manifest's profile has its own columns"
const overlap = "without --against or --duplicates"

const cases: ReadonlyArray<readonly [line: string, flag: string, when: string]> = [
  ["profile m.yaml --samples 16 --output X --check c --decide-early 0.9", "--samples", manifests],
  ["profile m.yaml --output X", "--output", manifests],
  ["profile m.yaml --check c", "--check", manifests],
  ["profile m.yaml --decide-early 0.95", "--decide-early", manifests],
  ["profile m.yaml --endpoint http://h", "--endpoint", manifests],
  ["profile m.yaml --retry-failed", "--retry-failed", manifests],
  // stated, though it is what holds anyway
  ["profile m.yaml --drop-at 0.75", "--drop-at", manifests],
  [`${served} --kind rate`, "--kind", "without --check"],
  [`${served} --n 8`, "--n", "without --check"],
  [`${served} --sample-seed 0`, "--sample-seed", "without --sample"],
  [`${served} --redis redis://h`, "--redis", "without --shards"],
  [`${served} --row-ids --id name`, "--id", "with --row-ids"],
  ["score --input a.jsonl --output b --judge-url http://h", "--judge-url", "without --accuracy judge"],
  ["score --accuracy math --input a.jsonl --output b --judge-key-env K", "--judge-key-env", "without --accuracy judge"],
  [`export ${columns} --to prime-rl --output o --drop-column x`, "--drop-column", pools],
  [`export ${columns} --to prime-rl --output o --prompts-per-step 4`, "--prompts-per-step", pools],
  ["export m.yaml --to prime-rl --output o --steps 4", "--steps", pools],
  ["export run --to inspect --output o --drop-column x", "--drop-column", logs],
  ["export run --to inspect --output o -s seed=1", "--set", logs],
  ["export run --to inspect --output o --sigma 0.1", "--sigma", logs],
  ["export run --to inspect --output o --runs r", "--runs", logs],
  ["plan m.yaml --passed k", "--passed", own],
  ["plan m.yaml --missing refuse", "--missing", own],
  [`plan ${columns} --prompts-per-step 4 --runs r`, "--runs", "with --input: no run is looked at"],
  [`filter ${columns} --control-by-domain`, "--control-by-domain", "without --control"],
  [`filter ${columns} --seed 0`, "--seed", "without --control"],
  [`filter ${columns} --ngram 13`, "--ngram", overlap],
  [`filter ${columns} --question text`, "--question", overlap]
]

describe("a flag without effect", () => {
  it.effect.each(cases)("is refused by name: %s", ([line, flag, when]) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* failed(line), ["UsageError", `${flag} has no effect ${when}`])
    })
  )

  it("is spelt as on the command line, the first one given, and none that is absent, off or empty", () => {
    assert.strictEqual(
      unused({ a: undefined, b: false, c: [], maxTokens: 0, z: 1 }, "here")?.reason,
      "--max-tokens has no effect here"
    )
    assert.isUndefined(unused({ a: undefined, b: false, c: [] }, "here"))
  })
})
