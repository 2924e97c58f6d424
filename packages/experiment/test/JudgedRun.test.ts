/** Runs that a judge scores, cut at the calls of their ports: what a reading of the judge and a verdict from the cache do to a run that goes on. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { decodeRows } from "@gradus/datasets/Parquet"
import { JudgeLedger } from "@gradus/domain/JudgeLedger"
import { Lineage } from "@gradus/domain/Lineage"
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import { VerdictCache } from "@gradus/domain/VerdictCache"
import { VerdictRecord } from "@gradus/domain/VerdictRecord"
import { promptDigests } from "@gradus/rewards/judge/Prompt"
import { Judge } from "@gradus/rewards/service/Judge"
import { JudgeCalibration } from "@gradus/rewards/service/JudgeCalibration"
import { Scorer } from "@gradus/rewards/service/Scorer"
import { ChatServer } from "@gradus/testing/ChatServer"
import { honest } from "@gradus/testing/HonestJudge"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as CircuitBreaker from "effect/persistence/CircuitBreaker"
import * as RateLimiter from "effect/persistence/RateLimiter"
import { readFile, readJson } from "../src/AtomicFile.ts"
import { readJournal } from "../src/Journal.ts"
import { layout } from "../src/RunDirectory.ts"
import { inTemporaryRuns, manifestOf, service, simulate } from "./simulated.ts"

/** What judges share, as it stands when the layer is built: it outlives the runs that use it, as a file does. */
const stores = Layer.mergeAll(
  VerdictCache.layerMemory(),
  JudgeLedger.layerMemory,
  RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory)),
  CircuitBreaker.layerStoreMemory()
)

const LABELLED = [
  { id: "a", gold: "abc", answer: "abc", right: true },
  { id: "b", gold: "abc", answer: "cba", right: false }
]

/** A world in which runs are judged: a judge, a place for runs, and what outlives them. */
const worldWhere = Effect.fnUntraced(function* (structured: "auto" | "never") {
  const { endpoint, traffic } = yield* ChatServer
  const kept = yield* Layer.build(Layer.fresh(stores))
  const fs = yield* FileSystem.FileSystem
  const labelled = `${yield* fs.makeTempDirectoryScoped()}/labelled.jsonl`
  yield* fs.writeFileString(labelled, LABELLED.map((row) => `${JSON.stringify(row)}\n`).join(""))
  const judge = {
    endpoint,
    model: "m",
    structured,
    prices: { m: { prompt: 1, completion: 2 } },
    calibration: { file: labelled, every: 2 }
  }
  const manifest = manifestOf({ rewards: { accuracy: "judge", judge }, evaluate: { samples: 1, every: 0 } })
  const scoring = ({ rewards }: Manifest): Layer.Layer<Scorer | JudgeCalibration> => {
    if (rewards.judge === undefined) throw new Error("a manifest without a judge")
    return Layer.merge(Scorer.layerJudge(rewards), JudgeCalibration.layer).pipe(
      Layer.provide(Judge.layerShared(rewards.judge, "test")),
      Layer.provide([Layer.succeedContext(kept), NodeHttpClient.layerUndici]),
      Layer.orDie
    )
  }
  return { manifest, scoring, requests: Effect.map(traffic, ({ requests }) => requests) }
})
const world = worldWhere("never")

const metricsOf = Effect.fnUntraced(function* (dir: string) {
  return new TextDecoder().decode(yield* readFile((yield* layout(dir)).metrics))
})
const readsOf = Effect.fnUntraced(function* (dir: string) {
  const { events } = yield* readJournal((yield* layout(dir)).journal)
  return events.flatMap((event) => (event._tag === "judge_read" ? [event.step] : []))
})

const judged = <A, E, R>(test: (runs: string) => Effect.Effect<A, E, R>) =>
  inTemporaryRuns(test).pipe(Effect.provide(ChatServer.layer(honest)))

describe("a run that a judge scores", () => {
  it.live("is cut anywhere and goes on to the same metrics, with each reading once", () =>
    judged((runs) =>
      Effect.gen(function* () {
        const whole = yield* world
        const { manifest } = whole
        const { dir } = yield* simulate(
          manifest,
          `${runs}/whole`,
          service(),
          undefined,
          undefined,
          whole.scoring(manifest)
        )
        const expected = yield* metricsOf(dir)
        assert.deepStrictEqual(yield* readsOf(dir), [0, 2, 4, 6])
        assert.include(expected, '"judge/calibration/agreement":1')
        assert.match(expected, /"judge\/cost":0?\.?\d*[1-9]/)
        for (const at of [1, 4, 8, 11, 14, 17]) {
          const cut = yield* world
          const kept = service()
          const place = `${runs}/cut-${at}`
          const crash = { at, after: at % 2 === 0 }
          const crashed = yield* Effect.exit(simulate(manifest, place, kept, crash, undefined, cut.scoring(manifest)))
          assert.isTrue(Exit.isFailure(crashed), `call ${at} was not reached`)
          kept.live = kept.durable
          const again = yield* simulate(manifest, place, kept, undefined, undefined, cut.scoring(manifest))
          assert.strictEqual(yield* metricsOf(again.dir), expected, `cut at call ${at}`)
          assert.deepStrictEqual(yield* readsOf(again.dir), [0, 2, 4, 6])
        }
      })
    )
  )

  it.live("names in its lineage every prompt that its verdicts were given by", () =>
    inTemporaryRuns((runs) =>
      Effect.gen(function* () {
        const { manifest, scoring } = yield* worldWhere("auto")
        const run = yield* simulate(manifest, runs, service(), undefined, undefined, scoring(manifest))
        const { lineage, rollouts, verdicts } = yield* layout(run.dir)
        const { judge_prompts } = yield* readJson(Lineage, lineage)
        const rows = yield* decodeRows(VerdictRecord, yield* readFile(verdicts(rollouts(1))))
        const asked = rows.filter(({ guard }) => guard === null)
        assert.isAbove(asked.length, 0)
        for (const { prompt_digest } of asked) assert.strictEqual(prompt_digest, judge_prompts?.["sentence/json_last"])
        assert.deepStrictEqual(judge_prompts, promptDigests({ structured: "auto", verdict: "yes_no" }))
      })
    ).pipe(
      Effect.provide(
        // held to the schema: the probe, too, gets a verdict
        ChatServer.layer((asked) => ({ kind: "answer", text: JSON.stringify({ verdict: honest(asked).text }) }))
      )
    )
  )

  it.live("asks nothing that a run before it has asked, but the labelled answers", () =>
    judged((runs) =>
      Effect.gen(function* () {
        const { manifest, requests, scoring } = yield* world
        const first = yield* simulate(manifest, `${runs}/first`, service(), undefined, undefined, scoring(manifest))
        const asked = yield* requests
        const second = yield* simulate(manifest, `${runs}/second`, service(), undefined, undefined, scoring(manifest))
        assert.strictEqual((yield* requests) - asked, 4 * LABELLED.length)
        assert.strictEqual(yield* metricsOf(second.dir), yield* metricsOf(first.dir))
      })
    )
  )
})
