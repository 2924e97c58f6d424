import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { JudgeSpec } from "@gradus/domain/manifest/Rewards"
import type { ScoreRequest } from "@gradus/domain/Score"
import { ChatServer, type ChatBehaviour, type ReceivedChat } from "@gradus/testing/ChatServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { needsNoJudge } from "../src/Score.ts"
import { Judge } from "../src/service/Judge.ts"
import { Scorer } from "../src/service/Scorer.ts"
import { rewards } from "./Rules.ts"

const request = (id: string, answer: string, rest: Partial<ScoreRequest> = {}): ScoreRequest => ({
  id,
  question: "2+2?",
  gold: "4",
  completion: `<think>hm</think>${answer}`,
  thinking: "on",
  ...rest
})

describe("Scorer by rules", () => {
  it.effect("scores in order", () =>
    Effect.gen(function* () {
      const spec = rewards({ accuracy: "numeric" })
      assert.isTrue(needsNoJudge(spec))
      if (!needsNoJudge(spec)) return
      const scores = yield* Scorer.use(({ score }) =>
        score([request("a", "4"), request("b", "5"), request("c", "it is 4.0")])
      ).pipe(Effect.provide(Scorer.layer(spec)))
      assert.deepStrictEqual(
        scores.map(({ value }) => value),
        [1, 0, 1]
      )
    })
  )
})

/** Judges by what the candidate block says; `broken` gets 400 and `odd` an unreadable reply. */
const behaviour = (received: ReceivedChat): ChatBehaviour => {
  const answer = /BEGIN candidate \w+\n([^]*)\nEND candidate/.exec(received.body.messages[1]?.content ?? "")?.[1] ?? ""
  if (answer === "broken one") return { kind: "status", status: 400 }
  if (answer === "odd one") return { kind: "answer", text: "I know" }
  // The right answers are the slowest: order must not depend on who answers first.
  return answer === "four"
    ? { kind: "stall", ms: 40, then: { kind: "answer", text: "yes" } }
    : { kind: "answer", text: "No." }
}

const judged = Layer.unwrap(
  Effect.map(ChatServer, ({ endpoint }) =>
    Judge.layer(Schema.decodeSync(JudgeSpec)({ endpoint, model: "m", structured: "never" }))
  )
).pipe(Layer.provide(NodeHttpClient.layerUndici))

const byJudge = <A, E>(test: Effect.Effect<A, E, ChatServer | Scorer>) =>
  test.pipe(
    Effect.provide(
      Scorer.layerJudge(rewards({ accuracy: "judge" })).pipe(
        Layer.provide(judged),
        Layer.provideMerge(ChatServer.layer(behaviour))
      )
    )
  )

const score = (requests: ReadonlyArray<ScoreRequest>) => Scorer.use((scorer) => scorer.score(requests))
const asked = ChatServer.use(({ received }) => received)

describe("Scorer with a judge over HTTP", () => {
  it.live("scores in order, and what the judge cannot say is unscored with its reason", () =>
    byJudge(
      Effect.gen(function* () {
        const scores = yield* score(["four", "five", "broken one", "odd one"].map((answer) => request(answer, answer)))
        assert.deepStrictEqual(
          scores.map(({ value, unscored, answer }) => [value, unscored, answer]),
          [
            [1, undefined, "four"],
            [0, undefined, "five"],
            [null, "judge_failed", "broken one"],
            [null, "judge_unreadable", "odd one"]
          ]
        )
        assert.deepStrictEqual(scores[0]?.components, { accuracy: 1, format: 1 })
        assert.deepStrictEqual(scores[2]?.components, { format: 1 })
        assert.strictEqual(scores[3]?.verdict?.reply, "I know")
      })
    )
  )

  it.live("judges equal question, truth and answer once and counts the usage once", () =>
    byJudge(
      Effect.gen(function* () {
        const scores = yield* score([
          request("a", "four"),
          request("b", "four"),
          request("c", "four", { gold: "vier" }),
          request("d", "four", { question: "3+1?" }),
          request("e", " four ")
        ])
        assert.deepStrictEqual(
          scores.map(({ value }) => value),
          [1, 1, 1, 1, 1]
        )
        assert.strictEqual((yield* asked).length, 3)
        assert.deepStrictEqual(
          scores.map(({ verdict }) => verdict?.prompt_tokens),
          [11, 0, 11, 11, 0]
        )
      })
    )
  )

  it.live("shows the judge only what stands after the last thought", () =>
    byJudge(
      Effect.gen(function* () {
        yield* score([request("a", "four", { completion: "<think>secret thought</think>four" })])
        assert.notInclude(JSON.stringify(yield* asked), "secret thought")
      })
    )
  )

  it.live("asks nobody about truncated, unfinished and truthless completions", () =>
    byJudge(
      Effect.gen(function* () {
        const scores = yield* score([
          request("a", "four", { truncated: true }),
          request("b", "", { completion: "<think>never closed" }),
          request("c", "four", { gold: " " }),
          request("d", "...")
        ])
        assert.deepStrictEqual(
          scores.map(({ value, unscored }) => [value, unscored]),
          [
            [0, undefined],
            [0, undefined],
            [null, "gold_unreadable"],
            [0, undefined]
          ]
        )
        assert.deepStrictEqual(yield* asked, [])
      })
    )
  )
})
