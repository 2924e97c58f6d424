import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { JudgeSpec } from "@gradus/domain/manifest/Rewards"
import type { ScoreRequest } from "@gradus/domain/Score"
import { type ChatBehaviour, ChatServer, type ReceivedChat } from "@gradus/testing/ChatServer"
import type { Script } from "@gradus/testing/Script"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Duration from "effect/Duration"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { majority, unanimous, type Word } from "../src/judge/Consensus.ts"
import { promptDigest } from "../src/judge/Prompt.ts"
import { VERDICT_FORMAT } from "../src/judge/Structured.ts"
import { Judge } from "../src/service/Judge.ts"
import { Scorer } from "../src/service/Scorer.ts"
import { rewards } from "./Rules.ts"

type Options = Partial<typeof JudgeSpec.Encoded>
type Server = ChatServer["Service"]

/** Several servers of one test. */
const servers = (...scripts: ReadonlyArray<Script<ReceivedChat, ChatBehaviour>>) =>
  Effect.forEach(scripts, (script) =>
    Effect.map(Layer.build(Layer.fresh(ChatServer.layer(script))), Context.get(ChatServer))
  )

const judging = (first: Server, options: Options) =>
  Effect.map(
    Layer.build(
      Judge.layer(
        Schema.decodeSync(JudgeSpec)({ endpoint: first.endpoint, model: "m", structured: "never", ...options })
      ).pipe(Layer.provide(NodeHttpClient.layerUndici))
    ),
    Context.get(Judge)
  )

const four = { question: "2+2?", gold: "4", answer: "four" }
const says = (text: string): Script<ReceivedChat, ChatBehaviour> => [{ kind: "answer", text }]

describe("votes", () => {
  it.each<readonly [ReadonlyArray<Word>, Word]>([
    [["yes", "yes", "no"], "yes"],
    [["yes", "no", "no"], "no"],
    [["yes", "no"], "unreadable"],
    [["yes", "unreadable", "unreadable"], "unreadable"],
    [["yes", "yes", "failed"], "yes"],
    [["yes", "failed", "no"], "failed"],
    [["yes", "failed", "failed"], "failed"],
    [["failed"], "failed"],
    [["unreadable"], "unreadable"],
    [[], "unreadable"]
  ])("of a panel %j make %s", (words, verdict) => assert.strictEqual(majority(words), verdict))

  it.each<readonly [ReadonlyArray<Word>, Word]>([
    [["yes", "yes"], "yes"],
    [["no", "no"], "no"],
    [["yes", "no"], "unreadable"],
    [["yes", "unreadable"], "unreadable"],
    [["yes", "failed"], "failed"],
    [["no"], "no"]
  ])("of one judge %j make %s", (words, verdict) => assert.strictEqual(unanimous(words), verdict))
})

describe.concurrent("a panel", () => {
  it.live("decides by its majority and keeps what each said", () =>
    Effect.gen(function* () {
      const [a, b, c] = yield* servers(says("yes"), says("no"), says("yes"))
      const { judge } = yield* judging(a!, {
        panel: [
          { endpoint: b!.endpoint, model: "n" },
          { endpoint: c!.endpoint, model: "o" }
        ]
      })
      const verdict = yield* judge(four)
      assert.strictEqual(verdict.verdict, "yes")
      assert.deepStrictEqual(verdict.votes, [
        { model: "m", verdict: "yes", reply: "yes" },
        { model: "n", verdict: "no", reply: "no" },
        { model: "o", verdict: "yes", reply: "yes" }
      ])
      assert.strictEqual(verdict.prompt_tokens, 33)
    })
  )

  it.live("is not decided by those that are left of it", () =>
    Effect.gen(function* () {
      const [a, b, c] = yield* servers(
        says("yes"),
        [{ kind: "status", status: 400 }],
        [{ kind: "status", status: 400 }]
      )
      const { judge } = yield* judging(a!, {
        panel: [b!, c!].map(({ endpoint }) => ({ endpoint, model: "n" }))
      })
      const verdict = yield* judge(four)
      assert.strictEqual(verdict.verdict, "failed")
      assert.include(verdict.failure, "status 400")
    })
  )
})

describe.concurrent("the swap check", () => {
  const firstBlock = ({ body }: ReceivedChat) => /BEGIN (correct|candidate)/.exec(body.messages[1]?.content ?? "")?.[1]

  it.live("asks in both orders and believes only what holds in both", () =>
    Effect.gen(function* () {
      const biased: Script<ReceivedChat, ChatBehaviour> = (received) => ({
        kind: "answer",
        text: firstBlock(received) === "correct" ? "yes" : "no"
      })
      const [a] = yield* servers(biased)
      const { judge } = yield* judging(a!, { swap: true })
      const verdict = yield* judge(four)
      assert.strictEqual(verdict.verdict, "unreadable")
      assert.deepStrictEqual(verdict.votes?.map((vote) => vote.verdict).toSorted(), ["no", "yes"])
      yield* a!.follow(says("yes"))
      assert.strictEqual((yield* judge(four)).verdict, "yes")
      assert.strictEqual((yield* a!.traffic).requests, 4)
    })
  )

  it.live("repeats as often as it is told", () =>
    Effect.gen(function* () {
      const [a] = yield* servers(says("no"))
      const { judge } = yield* judging(a!, { swap: true, repeats: 3 })
      assert.strictEqual((yield* judge(four)).verdict, "no")
      assert.strictEqual((yield* a!.traffic).requests, 6)
    })
  )
})

describe.concurrent("structured output", () => {
  it.live("is probed once and used where the server is held to it", () =>
    Effect.gen(function* () {
      const held: Script<ReceivedChat, ChatBehaviour> = ({ body }) => ({
        kind: "answer",
        text: body.response_format === undefined ? "free text" : '{"verdict": "yes"}'
      })
      const [a] = yield* servers(held)
      const { judge } = yield* judging(a!, { structured: "auto" })
      const verdicts = yield* Effect.forEach([four, { ...four, answer: "IV" }], judge, { concurrency: "unbounded" })
      assert.deepStrictEqual(
        verdicts.map(({ verdict }) => verdict),
        ["yes", "yes"]
      )
      const received = yield* a!.received
      assert.strictEqual(received.length, 3)
      // the body is JSON, the format a readonly literal
      for (const { body } of received) assert.deepStrictEqual(body.response_format, VERDICT_FORMAT as never)
      assert.include(received[1]?.body.messages[0]?.content, '{"verdict": "yes"}')
      for (const { prompt_digest } of verdicts) assert.strictEqual(prompt_digest, promptDigest("number", "json_last"))
    })
  )

  it.live.each<readonly [string, Script<ReceivedChat, ChatBehaviour>]>([
    [
      "refuses it",
      ({ body }) =>
        body.response_format === undefined ? { kind: "answer", text: "no" } : { kind: "status", status: 400 }
    ],
    [
      "takes no notice of it",
      ({ body }) => ({ kind: "answer", text: body.response_format === undefined ? "no" : "banana" })
    ]
  ])("is not used where the server %s", ([, script]) =>
    Effect.gen(function* () {
      const [a] = yield* servers(script)
      const { judge } = yield* judging(a!, { structured: "auto" })
      assert.deepInclude(yield* judge(four), { verdict: "no", prompt_digest: promptDigest("number", "yes_no") })
      assert.strictEqual((yield* judge({ ...four, answer: "IV" })).verdict, "no")
      assert.strictEqual((yield* a!.traffic).requests, 3)
    })
  )
})

describe.concurrent("structured output of an endpoint in trouble", () => {
  const isProbe = ({ body }: ReceivedChat) => (body.messages[0]?.content ?? "").includes("banana")
  const says = (text: string): ChatBehaviour => ({ kind: "answer", text })

  it.live("is the default, and asked for again when it is back: nobody waits for a second question meanwhile", () =>
    Effect.gen(function* () {
      const spec = Schema.decodeSync(JudgeSpec)({ endpoint: "http://127.0.0.1:9", model: "m" })
      assert.strictEqual(spec.structured, "auto")
      const [a] = yield* servers((received) => (isProbe(received) ? { kind: "stall", ms: 60_000 } : says("yes")))
      const { judge } = yield* judging(a!, { structured: "auto", deadline: 2, concurrency: 20 })
      const answers = Array.from({ length: 20 }, (_, i) => ({ ...four, answer: `answer ${i}` }))
      const [took, verdicts] = yield* Effect.timed(Effect.forEach(answers, judge, { concurrency: "unbounded" }))
      assert.isTrue(verdicts.every(({ verdict }) => verdict === "yes"))
      // all of them behind one question's deadline, not behind twenty
      assert.isBelow(Duration.toSeconds(took), 20)
      assert.strictEqual((yield* a!.traffic).requests, 21)
      yield* a!.follow(({ body }) => says(body.response_format === undefined ? "no" : '{"verdict": "yes"}'))
      assert.deepInclude(yield* judge({ ...four, answer: "IV" }), { verdict: "yes", reply: '{"verdict": "yes"}' })
    })
  )

  it.live("is given up where the server breaks on it, after three questions", () =>
    Effect.gen(function* () {
      const [a] = yield* servers(({ body }) =>
        body.response_format === undefined ? says("no") : { kind: "status", status: 500 }
      )
      const { judge } = yield* judging(a!, { structured: "auto" })
      for (let i = 0; i < 6; i++) assert.strictEqual((yield* judge({ ...four, answer: `answer ${i}` })).verdict, "no")
      assert.strictEqual((yield* a!.received).filter(isProbe).length, 3)
      assert.strictEqual((yield* a!.traffic).requests, 9)
    })
  )

  it.live("is not asked of a judge that may give reasons first", () =>
    Effect.gen(function* () {
      const [a] = yield* servers([says("It is four.\nGRADE: C")])
      const { judge } = yield* judging(a!, { structured: "auto", verdict: "GRADE_last" })
      assert.strictEqual((yield* judge(four)).verdict, "yes")
      assert.strictEqual((yield* a!.traffic).requests, 1)
    })
  )
})

describe.concurrent("replicas", () => {
  it.live("take over from an endpoint that is down", () =>
    Effect.gen(function* () {
      const [a, b] = yield* servers([{ kind: "reset" }], says("yes"))
      const { judge } = yield* judging(a!, {
        replicas: [b!.endpoint],
        breaker: { failures: 2, open_seconds: 60 },
        concurrency: 2
      })
      const answers = Array.from({ length: 40 }, (_, i) => ({ ...four, answer: `answer ${i}` }))
      const verdicts = yield* Effect.forEach(answers, judge, { concurrency: "unbounded" })
      assert.isTrue(verdicts.every(({ verdict }) => verdict === "yes"))
      assert.isBelow((yield* a!.traffic).requests, 10)
      assert.isAtMost((yield* b!.traffic).peak, 2)
    })
  )
})

describe("a step of the paper's size", () => {
  it.live(
    "1,152 judgements over two judges keep both busy to their last place",
    () =>
      Effect.gen(function* () {
        const slow: Script<ReceivedChat, ChatBehaviour> = [{ kind: "stall", ms: 60 }]
        const [a, b] = yield* servers(slow, slow)
        const judging32 = yield* judging(a!, { replicas: [b!.endpoint], concurrency: 32 })
        const scorer = Context.get(
          yield* Layer.build(
            Scorer.layerJudge(rewards({ accuracy: "judge" })).pipe(Layer.provide(Layer.succeed(Judge, judging32)))
          ),
          Scorer
        )
        // 72 questions, 16 completions each, all different
        const requests = Array.from({ length: 1152 }, (_, i): ScoreRequest => ({
          id: `${i}`,
          question: `question ${i % 72}`,
          gold: "4",
          completion: `<think>t</think>answer ${i}`,
          thinking: "on"
        }))
        const busy: Array<readonly [number, number]> = []
        const sampler = yield* Effect.forkChild(
          Effect.forever(
            Effect.gen(function* () {
              busy.push([(yield* a!.traffic).inFlight, (yield* b!.traffic).inFlight])
              yield* Effect.sleep("5 millis")
            })
          )
        )
        const [took, scores] = yield* Effect.timed(scorer.score(requests))
        yield* Fiber.interrupt(sampler)
        assert.isTrue(scores.every(({ value }) => value === 1))
        const [one, two] = [yield* a!.traffic, yield* b!.traffic]
        assert.strictEqual(one.requests + two.requests, 1152)
        assert.isAtLeast(Math.min(one.requests, two.requests), 460)
        assert.isAtMost(Math.max(one.peak, two.peak), 32)
        assert.isAtLeast(Math.min(one.peak, two.peak), 30)
        const working = busy.filter(([x, y]) => x + y > 0)
        const both = working.filter(([x, y]) => x > 0 && y > 0)
        assert.isAtLeast(both.length / working.length, 0.9)
        // serial calls would need 1152 x 60 ms = 69 s
        assert.isBelow(Duration.toMillis(took), 25_000)
      }),
    60_000
  )
})
