/** A judge as a run's reward: read against labelled answers, remembered across runs, paid for from one budget. */
import { ChatServer } from "@gradus/testing/ChatServer"
import { block, honest, lenient, textOf } from "@gradus/testing/HonestJudge"
import { startRedis } from "@gradus/testing/RedisServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { directory, type Ended, gradus, lastLine, root } from "../gradus.ts"
import { eventsOf } from "../Events.ts"

const STEPS = 6
/** No test but one reads the page. */
const PLAIN: ReadonlyArray<string> = ["--no-report", "--json"]
const LABELLED = [
  { id: "a", gold: "a b c", answer: "a b c", right: true },
  { id: "b", gold: "a b c", answer: "c b a", right: false },
  { id: "c", question: "Sort d, e.", gold: "d e", answer: "e d", right: false }
]

/** Arguments of a run whose reward is the judge at an address. */
const command = (runs: string, endpoint: string, judge: object, name = "judged", last = PLAIN) => {
  writeFileSync(join(runs, "labelled.jsonl"), LABELLED.map((row) => `${JSON.stringify(row)}\n`).join(""))
  const calibration = { file: join(runs, "labelled.jsonl"), every: 3 }
  // calls and money are counted: no question beside those about answers
  const told = { endpoint, model: "loopback", structured: "never", calibration, ...judge }
  const rewards = { accuracy: "judge", judge: told }
  const settings = [
    `name=${name}`,
    `train.steps=${STEPS}`,
    "evaluate.every=0",
    "warmup.steps=40",
    `rewards=${JSON.stringify(rewards)}`
  ]
  return ["run", join(root, "test/e2e/tiny.yaml"), ...settings.flatMap((one) => ["-s", one]), "--runs", runs, ...last]
}

const file = (dir: string, name: string): string => readFileSync(join(dir, name), "utf8")
const ran = (args: ReadonlyArray<string>) => Effect.promise<Ended>(() => gradus(...args))

describe("a run that a judge scores", () => {
  it.live("reads the judge at the start and every so many steps, and asks what no run beside it has asked", () =>
    Effect.gen(function* () {
      const judge = yield* ChatServer
      const requests = Effect.map(judge.traffic, (traffic) => traffic.requests)
      const runs = directory()
      const first = lastLine(yield* ran(command(runs, judge.endpoint, {})))
      const asked = yield* requests
      assert.isAbove(asked, 3 * LABELLED.length)
      const readings = eventsOf(file(first.dir, "metrics.ndjson")).filter(
        ({ metrics }) => "judge/calibration/agreement" in metrics
      )
      assert.deepStrictEqual(
        readings.map(({ stage, step, metrics }) => [stage, step, metrics["judge/calibration/agreement"]]),
        [0, 3, 6].map((step) => ["train", step, 1])
      )
      // another run beside it: every verdict is known, only the labelled answers are judged afresh
      const again = lastLine(yield* ran(command(runs, judge.endpoint, {}, "again")))
      assert.notStrictEqual(again.dir, first.dir)
      assert.strictEqual((yield* requests) - asked, 3 * LABELLED.length)
      assert.strictEqual(file(again.dir, "metrics.ndjson"), file(first.dir, "metrics.ndjson"))
    }).pipe(Effect.provide(ChatServer.layer(honest)))
  )

  it.live("says on its way and in its report that the judge accepts what is wrong", () =>
    Effect.gen(function* () {
      const judge = yield* ChatServer
      const lax = yield* ran([...command(directory(), judge.endpoint, {}, "lax", ["--json"]), "-s", "train.steps=1"])
      assert.include(
        lax.stderr,
        "warn: the judge accepts 100.0 % of the wrong labelled answers at step 0 (limit 5.0 %)"
      )
      assert.include(file(lastLine(lax).dir, "report.html"), "At step 0 the judge accepted more of the wrong labelled")
    }).pipe(Effect.provide(ChatServer.layer(lenient)))
  )

  it.live(
    "stops when its budget is spent and goes on when money is granted, to the metrics of one that never stopped",
    () =>
      Effect.gen(function* () {
        const judge = yield* ChatServer
        const runs = directory()
        // 17 a call by the server's usage; the estimate of a call is some hundred tokens
        const money = { prices: { loopback: { prompt: 1e6, completion: 2e6 } }, max_tokens: 8, concurrency: 1 }
        const args = command(runs, judge.endpoint, { ...money, budget: 1_500, spent: "pause" })
        const stopped = yield* ran(args)
        assert.strictEqual(stopped.code, 75, stopped.stderr)
        assert.include(stopped.stderr, "the judge's budget of 1500 is spent; `gradus judge grant` adds to it")
        const dir = /run directory: (.*)/.exec(stopped.stderr)?.[1] ?? ""
        const granted = lastLine(yield* ran(["judge", "grant", dir, "--amount", "1000000", "--json"]))
        assert.isAbove(granted.left, 1_000_000)
        assert.strictEqual(lastLine(yield* ran(args)).dir, dir)
        const rich = lastLine(yield* ran(command(runs, judge.endpoint, { ...money, budget: 1e9 }, "rich")))
        assert.strictEqual(file(dir, "metrics.ndjson"), file(rich.dir, "metrics.ndjson"))
        const costs = eventsOf(file(dir, "metrics.ndjson")).flatMap(({ metrics }) => metrics["judge/cost"] ?? [])
        assert.isTrue(costs.length === STEPS && costs.every((cost) => cost % 17 === 0))
      }).pipe(Effect.provide(ChatServer.layer(honest)))
  )

  it.live("shares money and verdicts with runs on other hosts through Redis, and with nobody else", () =>
    Effect.gen(function* () {
      const judge = yield* ChatServer
      const requests = Effect.map(judge.traffic, (traffic) => traffic.requests)
      const server = yield* Effect.acquireRelease(
        Effect.promise(() => startRedis()),
        (one) => Effect.promise(() => one.stop())
      )
      const at = ["--redis", server.url]
      const money = { prices: { loopback: { prompt: 1e6, completion: 2e6 } }, max_tokens: 8, concurrency: 1 }
      const spending = { ...money, budget: 1_500, spent: "pause", account: "team" }
      // two hosts: nothing that one writes lies where the other looks
      const [here, there] = [directory(), directory()]
      const of = (runs: string) => [...command(runs, judge.endpoint, spending), ...at]
      const first = yield* ran(of(here))
      assert.strictEqual(first.code, 75, first.stderr)
      const second = yield* ran(of(there))
      assert.strictEqual(second.code, 75, second.stderr)
      assert.include(second.stderr, "the judge's budget of 1500 is spent")
      // both together, at 17 a call: a run with an account of its own would have spent as much again
      const asked = yield* requests
      assert.isAtMost(17 * asked, 1_500)
      const dir = /run directory: (.*)/.exec(second.stderr)?.[1] ?? ""
      const granted = lastLine(yield* ran(["judge", "grant", dir, "--amount", "1000000", "--json", ...at]))
      assert.strictEqual(granted.account, "team")
      const whole = lastLine(yield* ran(of(there)))
      const known = yield* requests
      assert.isAbove(known, asked)
      const other = lastLine(yield* ran(of(here)))
      // every verdict is known: only the labelled answers of the two readings that were still to come are judged afresh
      assert.strictEqual((yield* requests) - known, 2 * LABELLED.length)
      // the readings of labelled answers differ: the second host had no money for its first one
      const judged = (dir: string) =>
        eventsOf(file(dir, "metrics.ndjson")).map(({ metrics, stage, step }) =>
          [stage, step, ...["reward", "judge/yes", "judge/no", "judge/cost"].map((name) => metrics[name])].join(" ")
        )
      assert.deepStrictEqual(judged(other.dir), judged(whole.dir))
      for (const runs of [here, there]) assert.isFalse(existsSync(join(runs, ".judge.sqlite")))
    }).pipe(Effect.scoped, Effect.provide(ChatServer.layer(honest)))
  )

  it.live("takes a cascade, a panel, both orders, a schema and a price for length from its manifest", () =>
    Effect.gen(function* () {
      const judge = yield* ChatServer
      const { endpoint } = judge
      const rewards = {
        accuracy: "exact",
        cascade: "judge",
        format_options: { think_opened_by_template: true },
        truncated: "soft",
        overlong: { max_tokens: 20, buffer: 10 },
        judge: {
          endpoint,
          model: "first",
          panel: ["second", "third"].map((model) => ({ endpoint, model })),
          swap: true,
          structured: "auto"
        }
      }
      const settings = [`rewards=${JSON.stringify(rewards)}`, "train.steps=1", "evaluate.every=0", "warmup.steps=40"]
      const flags = settings.flatMap((one) => ["-s", one])
      const { dir } = lastLine(
        yield* ran(["run", join(root, "test/e2e/tiny.yaml"), ...flags, "--runs", directory(), ...PLAIN])
      )
      const asked = (yield* judge.received).filter((one) => textOf(one).includes("BEGIN candidate"))
      const texts = asked.map(textOf)
      assert.sameMembers([...new Set(asked.map(({ body }) => body.model))], ["first", "second", "third"])
      assert.isTrue(asked.every(({ body }) => body.response_format !== undefined))
      const swapped = texts.filter((text) => text.indexOf("BEGIN candidate") < text.indexOf("BEGIN correct"))
      assert.strictEqual(swapped.length, texts.length / 2)
      // what is exactly right was not judged
      assert.isTrue(texts.every((text) => block("candidate", text) !== block("correct", text)))
      const row = eventsOf(file(dir, "metrics.ndjson")).find(({ stage, step }) => stage === "train" && step === 1)
      const parts = ["accuracy", "format", "overlong"].flatMap((part) => [
        `rewards/${part}/mean`,
        `rewards/${part}/std`
      ])
      assert.containsAllKeys(
        row.metrics,
        parts.concat("reward", "reward_std", "frac_reward_zero_std", "judge/mean", "judge/no", "unscored")
      )
      // two of three say no in both orders: the third one, which says yes to everything, is outvoted
      assert.strictEqual(row.metrics["judge/yes"], 0)
      assert.strictEqual(row.metrics["unscored"], 0)
    }).pipe(
      Effect.provide(
        ChatServer.layer((asked) => {
          const { text } = asked.body.model === "third" ? lenient() : honest(asked)
          return { kind: "answer", text: JSON.stringify({ verdict: text }) }
        })
      )
    )
  )
})
