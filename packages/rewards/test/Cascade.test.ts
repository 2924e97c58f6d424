import { assert, describe, it } from "@effect/vitest"
import type { RewardsSpec } from "@gradus/domain/manifest/Rewards"
import type { ScoreRequest, Verdict } from "@gradus/domain/Score"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { misplaced } from "../bench/ScoreOrder.ts"
import type { Judged } from "../src/judge/Prompt.ts"
import { needsNoJudge } from "../src/Score.ts"
import { Judge } from "../src/service/Judge.ts"
import { Scorer } from "../src/service/Scorer.ts"
import { rewards } from "./Rules.ts"

/** Says yes to answers with "half"; keeps what it was asked. */
const judging = (asked: Array<string>): Layer.Layer<Judge> => {
  const judge = ({ answer }: Judged): Effect.Effect<Verdict> =>
    Effect.sync(() => {
      asked.push(answer)
      const counted = { prompt_tokens: 11, completion_tokens: 1, ms: 1 }
      return { verdict: answer.includes("half") ? "yes" : "no", reply: "", model: "m", prompt_digest: "", ...counted }
    })
  return Layer.succeed(Judge, { judge, judgeAfresh: judge } as Judge["Service"])
}

const scored = (
  spec: RewardsSpec,
  completions: ReadonlyArray<string>,
  gold: string,
  rest: Partial<ScoreRequest> = {}
) =>
  Effect.gen(function* () {
    const asked: Array<string> = []
    const requests = completions.map((completion, i) => ({
      id: String(i),
      gold,
      completion,
      thinking: "off" as const,
      ...rest
    }))
    const scores = yield* Scorer.use(({ score }) => score(requests)).pipe(
      Effect.provide(Scorer.layerJudge(spec).pipe(Layer.provide(judging(asked))))
    )
    return { values: scores.map(({ value }) => value), scores, asked }
  })

describe("a cascade", () => {
  const spec = rewards({ accuracy: "math", answer: "after_think", cascade: "judge", format: "none" })

  it("needs a judge", () => {
    assert.isFalse(needsNoJudge(spec))
    assert.isTrue(needsNoJudge(rewards({ accuracy: "math" })))
    assert.isTrue(needsNoJudge(rewards({ accuracy: "math", cascade: "none" })))
  })

  it.live("judges only what mathematics does not accept, each distinct answer once", () =>
    Effect.gen(function* () {
      const { values, scores, asked } = yield* scored(spec, ["0.5", "one half", "2/4", "a third", "one half"], "1/2")
      assert.deepStrictEqual(values, [1, 1, 1, 0, 1])
      assert.deepStrictEqual(asked, ["one half", "a third"])
      assert.deepStrictEqual(
        scores.map(({ verdict }) => verdict?.prompt_tokens),
        [undefined, 11, undefined, 11, 0]
      )
      assert.deepStrictEqual(
        scores.map(({ answer }) => answer),
        ["0.5", "one half", "2/4", "a third", "one half"]
      )
    })
  )

  it.live("judges where the rule cannot read the truth", () =>
    Effect.gen(function* () {
      const numeric = rewards({ accuracy: "numeric", cascade: "judge", format: "none" })
      const { values, asked } = yield* scored(numeric, ["half of it", "3"], "half of the cake")
      assert.deepStrictEqual(values, [1, 0])
      assert.deepStrictEqual(asked, ["half of it", "3"])
    })
  )

  it.live("asks nobody about cut completions and blank truths", () =>
    Effect.gen(function* () {
      const cut = yield* scored(spec, ["half", "0.5"], "1/2", { truncated: true })
      assert.deepStrictEqual([cut.values, cut.asked], [[0, 0], []])
      const blank = yield* scored(spec, ["half"], " ")
      assert.deepStrictEqual([blank.values, blank.asked], [[null], []])
    })
  )
})

it.live(
  "mathematics alone is scored in threads, in order",
  () =>
    Effect.gen(function* () {
      const spec = rewards({ accuracy: "math", answer: "math_last", format: "none" })
      assert.isTrue(needsNoJudge(spec))
      if (!needsNoJudge(spec)) return
      const requests = ["\\boxed{1/2}", "so $x=0.5$", "2", ""].map((completion, i) => ({
        id: String(i),
        gold: "0.5",
        completion,
        thinking: "off" as const
      }))
      const scores = yield* Scorer.use(({ score }) => score(requests)).pipe(Effect.provide(Scorer.layer(spec)))
      assert.deepStrictEqual(
        scores.map(({ value, answer }) => [value, answer]),
        [
          [1, "1/2"],
          [1, "x=0.5"],
          [0, "2"],
          [0, null]
        ]
      )
    }),
  60_000
)

it.live.prop(
  "neither the order of completions nor that of failures moves a reward to another sample",
  [Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))],
  ([seed]) => Effect.map(misplaced(200, 64, seed), (wrong) => wrong === 0),
  { arbitrary: { runs: 10 } }
)
