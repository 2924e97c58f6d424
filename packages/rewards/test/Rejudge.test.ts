import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { JudgeSpec } from "@gradus/domain/manifest/Rewards"
import type { RolloutRow } from "@gradus/domain/RunRecord"
import type { Score } from "@gradus/domain/Score"
import { ChatServer, type ReceivedChat, type ChatBehaviour } from "@gradus/testing/ChatServer"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { advantages } from "../src/Advantage.ts"
import { compareScores, requestOf } from "../src/Rejudge.ts"
import { throughGate } from "../src/RejudgeGate.ts"
import { Judge } from "../src/service/Judge.ts"
import { rejudge } from "../src/service/Rejudgement.ts"
import { Scorer } from "../src/service/Scorer.ts"
import { rewards } from "./Rules.ts"

const weighing = { rule: "grpo" as const, floor: 2 }
// of the training's settings the comparison reads these two
const train = { advantage: "grpo", group_floor: 2 } as never

const row = (question: string, k: number, value: number | null): RolloutRow => ({
  sample_id: `train/3/${question}/${k}`,
  question_id: question,
  step: 3,
  k,
  thinking: "on",
  level: null,
  domain: null,
  question: "2+2?",
  gold: "4",
  text: `<think>t</think>answer ${question} ${k}`,
  answer: `answer ${question} ${k}`,
  finish_reason: "stop",
  length: 5,
  logprob: -1,
  value,
  accuracy: value,
  format: 1,
  unscored: value === null ? "judge_failed" : null,
  advantage: null,
  policy_version: 2
})

/** Rows of one group with the advantages that the run computed. */
const group = (question: string, values: ReadonlyArray<number | null>): ReadonlyArray<RolloutRow> => {
  const own = advantages(weighing.rule, values, weighing.floor).advantages
  return values.map((value, k) => ({ ...row(question, k, value), advantage: own[k] ?? null }))
}

const scored = (value: number | null): Score => ({
  value,
  answer: "4",
  components: value === null ? { format: 1 } : { accuracy: value, format: 1 },
  ...(value === null ? { unscored: "judge_failed" as const } : {})
})

describe("compareScores", () => {
  it("says what a later judgement would have changed", () => {
    const rows = [...group("a", [1, 0, null, null]), ...group("b", [1, 0, 1, 0]), ...group("c", [null, null, null, 1])]
    const scores = new Map([
      ["train/3/a/2", scored(1)],
      ["train/3/a/3", scored(null)],
      ["train/3/c/0", scored(0)],
      ["train/3/c/1", scored(0)],
      ["train/3/c/2", scored(0)]
    ])
    const { groups, samples, summary, rows: after } = compareScores(rows, scores, weighing)
    assert.deepStrictEqual(groups, [
      {
        group_id: "train/3/a",
        question_id: "a",
        step: 3,
        before: { mean: 0.5, scored: 2, dropped: false, zero_variance: false },
        after: { mean: 2 / 3, scored: 3, dropped: false, zero_variance: false }
      },
      {
        group_id: "train/3/c",
        question_id: "c",
        step: 3,
        before: { mean: 1, scored: 1, dropped: true, zero_variance: false },
        after: { mean: 0.25, scored: 4, dropped: false, zero_variance: false }
      }
    ])
    assert.deepStrictEqual(summary, {
      completions: 12,
      rescored: 5,
      unscored_before: 5,
      unscored_after: 1,
      values_changed: 4,
      advantages_changed: 7,
      groups_changed: 2,
      groups_regained: 1,
      groups_lost: 0,
      mean_before: 4 / 7,
      mean_after: 5 / 11,
      cost: null
    })
    // no zero stands for what is still unscored, and nobody else's advantage moved
    assert.deepStrictEqual(
      after.map(({ value }) => value),
      [1, 0, 1, null, 1, 0, 1, 0, 0, 0, 0, 1]
    )
    assert.deepStrictEqual(after.slice(4, 8), rows.slice(4, 8))
    const [first] = samples
    assert.strictEqual(first?.after.advantage, advantages("grpo", [1, 0, 1, null], 2).advantages[0])
  })

  it("leaves advantages alone where they came from other groups' values", () => {
    const rows = group("a", [1, 0, null])
    const { rows: after, samples } = compareScores(rows, new Map([["train/3/a/2", scored(1)]]), undefined)
    assert.deepStrictEqual(
      after.map(({ advantage }) => advantage),
      rows.map(({ advantage }) => advantage)
    )
    assert.strictEqual(samples.length, 1)
  })

  /** A question whose first group could not be scored is drawn again in the same step, under another stage. */
  const twice = [
    ...group("a", [null, null]),
    ...group("a", [1, 0]).map((one) => ({ ...one, sample_id: one.sample_id.replace("train/", "train-refill-1/") }))
  ]

  it("keeps the two groups apart that a gate made of one question in one step", () => {
    const scores = new Map([
      ["train/3/a/0", scored(1)],
      ["train/3/a/1", scored(0)]
    ])
    const { groups, rows: after, summary } = compareScores(twice, scores, weighing)
    assert.deepStrictEqual(
      groups.map(({ after: { mean, scored: many }, group_id }) => [group_id, mean, many]),
      [["train/3/a", 0.5, 2]]
    )
    assert.deepStrictEqual(after.slice(2), twice.slice(2))
    assert.deepInclude(summary, { groups_changed: 1, groups_regained: 1, advantages_changed: 2 })
  })

  it("trains on no group outside the gate's band, whatever its values are now", () => {
    // DAPO's: a group that is all right or all wrong is turned away
    const dapo = (values: ReadonlyArray<number>): boolean => values.includes(0) && values.includes(1)
    const turned = group("b", [1, 1]).map((one) => ({ ...one, advantage: null }))
    const rows = [...twice, ...turned, ...group("c", [1, 0])]
    const scores = new Map([
      ["train/3/a/0", scored(1)],
      ["train/3/a/1", scored(1)],
      ["train/3/b/1", scored(0)],
      ["train/3/c/1", scored(1)]
    ])
    const made = throughGate(rows, compareScores(rows, scores, weighing), dapo)
    assert.deepStrictEqual(
      made.groups.map(({ after, before, group_id }) => [group_id, before.turned_away, after.turned_away]),
      [
        ["train/3/a", false, true],
        ["train/3/b", true, false],
        ["train/3/c", false, true]
      ]
    )
    assert.deepInclude(made.summary, { groups_changed: 3, groups_regained: 1, groups_lost: 1, advantages_changed: 4 })
    assert.deepStrictEqual(
      made.rows.map(({ advantage }) => advantage === null),
      [true, true, false, false, false, false, true, true]
    )
  })

  const Values = Arbitrary.schema(
    Schema.Array(Schema.Array(Schema.Union([Schema.Literals([0, 1]), Schema.Null])).check(Schema.isMaxLength(6))).check(
      Schema.isMaxLength(5)
    )
  )
  it.prop("changes nothing where the scores are the same, in any order of rows", [Values], ([values]) => {
    const rows = values.flatMap((own, g) => group(`q${g}`, own))
    const mixed = rows.toSorted((a, b) => a.k - b.k || (a.question_id < b.question_id ? 1 : -1))
    const scores = new Map(rows.map(({ sample_id, value }) => [sample_id, { ...scored(value), answer: null }]))
    const { samples, groups, summary } = compareScores(mixed, scores, weighing)
    assert.deepStrictEqual([samples, groups], [[], []])
    assert.strictEqual(summary.unscored_after, summary.unscored_before)
  })
})

it("a stored completion is scored as it was", () => {
  const cut = { ...row("a", 0, null), finish_reason: "length", thinking: "off" }
  assert.deepStrictEqual(requestOf(cut), {
    id: "train/3/a/0",
    question: "2+2?",
    gold: "4",
    completion: "<think>t</think>answer a 0",
    thinking: "off",
    truncated: true,
    tokens: cut.length
  })
})

describe("rejudge over HTTP", () => {
  const spec = rewards({ accuracy: "judge" })
  const behaviour = ({ body }: ReceivedChat): ChatBehaviour => ({
    kind: "answer",
    text: /answer \w (\d)\nEND/.exec(body.messages[1]?.content ?? "")?.[1] === "0" ? "yes" : "no"
  })
  const scorer = Scorer.layerJudge(spec).pipe(
    Layer.provide(
      Layer.unwrap(
        Effect.map(ChatServer, ({ endpoint }) =>
          Judge.layer(Schema.decodeSync(JudgeSpec)({ endpoint, model: "m", structured: "never" }))
        )
      )
    ),
    Layer.provide(NodeHttpClient.layerUndici),
    Layer.provideMerge(ChatServer.layer(behaviour))
  )
  const rows = [...group("a", [1, 0, null, null]), ...group("b", [null, null, null, null])]

  it.live("asks only for what has no value, and generates nothing", () =>
    Effect.gen(function* () {
      const { rows: after, summary, verdicts } = yield* rejudge({ rewards: spec, train }, rows, "unscored")
      assert.deepStrictEqual(
        after.map(({ value }) => value),
        [1, 0, 0, 0, 1, 0, 0, 0]
      )
      assert.strictEqual((yield* (yield* ChatServer).traffic).requests, 6)
      assert.strictEqual(verdicts.length, 6)
      assert.deepInclude(summary, { rescored: 6, unscored_after: 0, groups_regained: 1 })
    }).pipe(Effect.provide(scorer))
  )

  it.live("asks for all where it is told to, and leaves a control's advantages alone", () =>
    Effect.gen(function* () {
      const shuffled = { rewards: { ...spec, control: "shuffled" as const }, train }
      const { rows: after, summary } = yield* rejudge(shuffled, rows, "all")
      assert.strictEqual(summary.rescored, 8)
      assert.deepStrictEqual(
        after.map(({ advantage }) => advantage),
        rows.map(({ advantage }) => advantage)
      )
    }).pipe(Effect.provide(scorer))
  )

  it.live("leaves unscored what the judge still cannot say", () =>
    Effect.gen(function* () {
      yield* (yield* ChatServer).follow([{ kind: "answer", text: "hm" }])
      const { summary, samples } = yield* rejudge({ rewards: spec, train }, rows, "unscored")
      assert.deepInclude(summary, { rescored: 6, unscored_before: 6, unscored_after: 6, values_changed: 0 })
      assert.isTrue(
        samples.every(
          ({ before, after }) => before.unscored === "judge_failed" && after.unscored === "judge_unreadable"
        )
      )
    }).pipe(Effect.provide(scorer))
  )
})
