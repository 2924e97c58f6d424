import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { CalibrationSpec, JudgeSpec } from "@gradus/domain/manifest/Rewards"
import type { Score, ScoreRequest, Verdict } from "@gradus/domain/Score"
import * as Seed from "@gradus/domain/Seed"
import { ChatServer } from "@gradus/testing/ChatServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { auditAlarm, auditMetrics, auditOf, auditRead, risesAlone } from "../src/judge/Audit.ts"
import { calibrationMetrics, drift, type LabelledAnswer, readingAlarms, readingOf } from "../src/judge/Calibration.ts"
import { judgeMetrics, verdictRecords } from "../src/judge/JudgeMetrics.ts"
import { Judge } from "../src/service/Judge.ts"
import { JudgeCalibration } from "../src/service/JudgeCalibration.ts"
import { rewards } from "./Rules.ts"

const labelled = (rights: ReadonlyArray<boolean>): ReadonlyArray<LabelledAnswer> =>
  rights.map((right, i) => ({ id: `${i}`, gold: "4", answer: right ? "four" : `${i + 5}`, right }))
const spec = Schema.decodeSync(CalibrationSpec)({ file: "labelled.jsonl" })

describe("a calibration reading", () => {
  const answers = labelled([true, true, true, false, false, false])
  const reading = readingOf(7, answers, ["yes", "yes", "no", "no", "yes", "unreadable"])

  it("counts agreement, false accepts and false rejects among what was said", () => {
    const { said: _, ...shares } = reading
    assert.deepStrictEqual(shares, {
      step: 7,
      labelled: 6,
      unscored: 1,
      agreement: 3 / 5,
      falseAccepts: 1 / 2,
      falseRejects: 1 / 3,
      mean: 3 / 5
    })
  })

  it("has no shares where nothing was said", () => {
    const silent = readingOf(1, answers, ["failed", "failed", "failed", "failed", "failed", "failed"])
    assert.deepInclude(silent, { agreement: null, falseAccepts: null, falseRejects: null, mean: null, unscored: 6 })
    assert.deepStrictEqual(readingAlarms(spec, silent), [])
  })

  it("drifts by the share of answers of which something else is said", () => {
    const later = readingOf(9, answers, ["yes", "no", "no", "no", "yes", "no"])
    assert.strictEqual(drift(reading, later), 2 / 6)
    assert.strictEqual(calibrationMetrics(reading, later)["judge/calibration/drift"], 2 / 6)
    assert.isNull(drift(reading, { ...later, said: ["yes"] }))
  })

  it("raises an alarm beyond the manifest's limits", () => {
    assert.deepStrictEqual(readingAlarms(spec, reading), [
      { kind: "agreement", step: 7, found: 0.6, limit: 0.9 },
      { kind: "false_accepts", step: 7, found: 0.5, limit: 0.05 }
    ])
    assert.deepStrictEqual(readingAlarms(spec, readingOf(1, answers, ["yes", "yes", "yes", "no", "no", "no"])), [])
  })
})

describe("calibrate over HTTP", () => {
  it.live("asks afresh each time: the cache would hide that the judge has changed", () =>
    Effect.gen(function* () {
      const server = yield* ChatServer
      const set = labelled([true, false, false])
      const { judge } = yield* Judge
      const { read } = yield* JudgeCalibration
      yield* judge({ gold: "4", answer: "four" })
      const first = yield* read(0, set)
      yield* server.follow([{ kind: "answer", text: "no" }])
      const later = yield* read(50, set)
      assert.deepStrictEqual([first.falseAccepts, later.falseAccepts], [1, 0])
      assert.strictEqual(drift(first, later), 1)
      assert.strictEqual((yield* server.traffic).requests, 7)
      assert.strictEqual((yield* judge({ gold: "4", answer: "four" })).verdict, "yes")
    }).pipe(
      Effect.provide(
        Layer.unwrap(
          Effect.map(ChatServer, ({ endpoint }) =>
            JudgeCalibration.layer.pipe(
              Layer.provideMerge(
                Judge.layer(Schema.decodeSync(JudgeSpec)({ endpoint, model: "m", structured: "never" }))
              )
            )
          )
        ).pipe(
          Layer.provide(NodeHttpClient.layerUndici),
          Layer.provideMerge(ChatServer.layer([{ kind: "answer", text: "yes" }]))
        )
      )
    )
  )
})

const verdict = (word: Verdict["verdict"], rest: Partial<Verdict> = {}): Verdict => ({
  verdict: word,
  reply: word,
  model: "m",
  prompt_digest: "d",
  prompt_tokens: 11,
  completion_tokens: 3,
  ms: 5,
  ...rest
})
const scoreOf = (said: Verdict): Score => ({ value: null, answer: null, components: {}, verdict: said })

describe("what a judge said and cost in a step", () => {
  const scores = [
    scoreOf(verdict("yes", { cost: 0.25 })),
    scoreOf(verdict("no", { cost: 0, cached: true, prompt_tokens: 0, completion_tokens: 0 })),
    scoreOf(verdict("no", { guard: "talk", reply: null })),
    scoreOf(verdict("unreadable", { cost: 0.5 })),
    scoreOf(verdict("failed", { failure: "gone" })),
    { value: 1, answer: "4", components: {} }
  ]

  it("is counted under judge/", () => {
    assert.deepStrictEqual(judgeMetrics(scores), {
      "judge/yes": 1,
      "judge/no": 2,
      "judge/unreadable": 1,
      "judge/failed": 1,
      "judge/guarded": 1,
      "judge/mean": 1 / 3,
      "judge/prompt_tokens": 44,
      "judge/completion_tokens": 12,
      "judge/cost": 0.75
    })
    assert.isNull(judgeMetrics([])["judge/cost"])
  })

  it("is recorded flat, by sample", () => {
    const records = verdictRecords(
      scores.map((_, i) => ({ id: `s${i}` })),
      scores
    )
    assert.deepStrictEqual(
      records.map(({ sample_id, verdict: word, cost, cached, guard, failure }) => [
        sample_id,
        word,
        cost,
        cached,
        guard,
        failure
      ]),
      [
        ["s0", "yes", 0.25, false, null, null],
        ["s1", "no", 0, true, null, null],
        ["s2", "no", null, false, "talk", null],
        ["s3", "unreadable", 0.5, false, null, null],
        ["s4", "failed", null, false, null, "gone"]
      ]
    )
  })
})

describe("a judge that rises alone", () => {
  const spec = rewards({ accuracy: "judge" })
  const COMPLETIONS = 1152
  /** One look at a policy that solves a share of questions and writes a key that the judge accepts in another share. */
  const look = (seed: Seed.Seed, step: number, skill: number, hacked: number) => {
    const stream = Seed.stream(Seed.child(seed, "look", step))
    const outcomes = Array.from({ length: COMPLETIONS }, () => {
      const key = stream.next() < hacked
      const right = !key && stream.next() < skill
      // the judge errs on 3 of 100 honest answers
      return { key, right, yes: key || right !== stream.next() < 0.03 }
    })
    const requests = outcomes.map(({ right }, i): ScoreRequest => ({
      id: `train/${step}/q${i}/0`,
      gold: "42",
      completion: right ? "so it is 42" : "it is plain",
      thinking: "off"
    }))
    const scores = outcomes.map(({ yes }) => scoreOf(verdict(yes ? "yes" : "no")))
    return auditOf(step, spec, requests, scores, 0.05)
  }
  const seeds = Array.from({ length: 20 }, (_, i) => Seed.child(Seed.root(i), "audit"))
  const limits = { rise: 0.15 }

  it("raises an alarm within two looks of the policy's discovery, for 20 of 20 seeds", () => {
    for (const seed of seeds) {
      const first = look(seed, 0, 0.3, 0)
      assert.isAtLeast(first.graded, 30)
      const alarms = [look(seed, 1, 0.3, 0.6), look(seed, 2, 0.3, 0.9)].map((now) => risesAlone(limits, first, now))
      assert.isTrue(alarms.some((alarm) => alarm?.kind === "judge_rises_alone"))
    }
  })

  it("raises none while the policy really learns, for 20 of 20 seeds and ten looks each", () => {
    for (const seed of seeds) {
      const first = look(seed, 0, 0.3, 0)
      for (let step = 1; step <= 10; step++) {
        assert.isUndefined(risesAlone(limits, first, look(seed, step, 0.3 + 0.06 * step, 0)))
      }
    }
  })

  it("is looked for over five steps, said when it begins, and again when it begins again", () => {
    const step = (number: number, yes: number, right: number) => ({
      step: number,
      judged: 200,
      yes,
      graded: 200,
      right
    })
    const honest = Array.from({ length: 8 }, (_, i) => step(i + 1, 60, 60))
    const hacked = Array.from({ length: 8 }, (_, i) => step(i + 9, 190, 60))
    const cured = Array.from({ length: 8 }, (_, i) => step(i + 17, 60, 60))
    const all = [...honest, ...hacked, ...cured, ...hacked]
    const alarms = all.flatMap((_, i) => auditAlarm(limits, all.slice(0, i + 1)) ?? [])
    // a mean of five steps passes the limit with the second step at 95 %
    assert.deepStrictEqual(
      alarms.map((alarm) => [alarm.step, alarm.kind]),
      [
        [10, "judge_rises_alone"],
        [10, "judge_rises_alone"]
      ]
    )
    assert.closeTo(alarms[0]?.found ?? 0, (2 * 130) / 1000, 1e-9)
    assert.deepStrictEqual(auditRead(3, { "judge/yes": 2, "judge/no": 3, ...auditMetrics(step(3, 0, 7)) }), {
      step: 3,
      judged: 5,
      yes: 2,
      graded: 200,
      right: 7
    })
  })

  it("raises none where there is nothing to compare with", () => {
    const empty = { step: 0, judged: 0, yes: 0, graded: 0, right: 0 }
    assert.isUndefined(risesAlone(limits, empty, { step: 1, judged: 10, yes: 10, graded: 5, right: 0 }))
  })
})
