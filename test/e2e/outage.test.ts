/** A judge that is down for a part of a run: nothing is scored because of it, and what was not scored can be scored later. */
import { ChatServer } from "@gradus/testing/ChatServer"
import { honest } from "@gradus/testing/HonestJudge"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { directory, gradus, lastLine, root, start } from "../gradus.ts"
import { eventsOf } from "../Events.ts"

const command = (runs: string, judge: object, ...settings: ReadonlyArray<string>) => {
  const rewards = {
    accuracy: "judge",
    judge: { model: "loopback", attempts: 1, deadline: 5, concurrency: 8, ...judge }
  }
  const all = [`rewards=${JSON.stringify(rewards)}`, "train.prompts_per_step=1", "evaluate.every=0", ...settings]
  const flags = all.flatMap((one) => ["-s", one])
  return ["run", join(root, "test/e2e/tiny.yaml"), ...flags, "--runs", runs, "--no-report", "--json"]
}
const stepsOf = (dir: string) =>
  eventsOf(readFileSync(join(dir, "events.ndjson"), "utf8")).filter((event) => event._tag === "step_generated")

it.live("a judge that goes down and comes back", () =>
  Effect.gen(function* () {
    const judge = yield* ChatServer
    const running = start(command(directory(), { endpoint: judge.endpoint }, "train.steps=30"))
    yield* Effect.promise(() => running.said("train 1/"))
    yield* judge.follow(() => ({ kind: "status", status: 503 }))
    const summary = lastLine(yield* Effect.promise(() => running.ended))
    yield* judge.follow(honest)
    const steps = stepsOf(summary.dir)
    const dark = steps.filter((step) => step.metrics["judge/failed"] > 0)
    assert.isAbove(dark.length, 0)
    // what was judged before the outage counts, what was not is in no mean: a reward is a mean of yes and no alone
    assert.strictEqual(steps[0].metrics["judge/failed"], 0)
    for (const step of dark) {
      assert.strictEqual(step.metrics["unscored"], step.metrics["judge/failed"])
      if (step.metrics["unscored"] === 4) assert.isNull(step.metrics["reward"])
      // a group of which nobody knows the worth is not trained on, and its question went back to its pool
      for (const outcome of step.outcomes) if (outcome.scored === 0) assert.isUndefined(outcome.advantage)
    }
    const again = lastLine(yield* Effect.promise(() => gradus("rejudge", summary.dir, "--json")))
    assert.isAbove(again.unscored_before, 0)
    assert.strictEqual(again.rescored, again.unscored_before)
    assert.strictEqual(again.unscored_after, 0)
    assert.isAbove(again.groups_regained, 0)
    // it was down to the end: the last readings are not whole, which is said and left as it is
    const last = again.unscored_elsewhere.filter((part: { readonly step: number }) => part.step === steps.length)
    assert.isAbove(last.length, 0)
    for (const { stage, unscored } of last) assert.isTrue(stage.startsWith("eval/") && unscored > 0)
  }).pipe(Effect.provide(ChatServer.layer(honest)))
)

it.live("a judge that is waited for: the run is the one that it would have been", () =>
  Effect.gen(function* () {
    const judge = yield* ChatServer
    const runs = directory()
    const patient = { endpoint: judge.endpoint, outage: "wait", patience: 120 }
    const running = start(command(runs, patient, "train.steps=8"))
    yield* Effect.promise(() => running.said("train 1/"))
    const before = (yield* judge.traffic).requests
    yield* judge.follow(() => ({ kind: "status", status: 503 }))
    // it stays down until some call has met it, and a while longer
    yield* Effect.repeat(Effect.delay(judge.traffic, 20), { until: ({ requests }) => requests > before })
    yield* Effect.sleep("3 seconds")
    yield* judge.follow(honest)
    const { dir } = lastLine(yield* Effect.promise(() => running.ended))
    assert.deepStrictEqual(
      stepsOf(dir).map(({ metrics }) => metrics["unscored"]),
      Array.from({ length: 8 }, () => 0)
    )
    const calm = lastLine(yield* Effect.promise(() => gradus(...command(runs, patient, "train.steps=8", "name=calm"))))
    const metrics = (from: string) => readFileSync(join(from, "metrics.ndjson"), "utf8")
    assert.strictEqual(metrics(dir), metrics(calm.dir))
  }).pipe(Effect.provide(ChatServer.layer(honest)))
)

it.live("a judge that accepts and never answers: its completions are unscored, each call by its deadline", () =>
  Effect.gen(function* () {
    const judge = yield* ChatServer
    const running = start(command(directory(), { endpoint: judge.endpoint, deadline: 2 }, "train.steps=8"))
    yield* Effect.promise(() => running.said("train 1/"))
    yield* judge.follow(() => ({ kind: "stall", ms: 600_000 }))
    const { dir } = lastLine(yield* Effect.promise(() => running.ended))
    const dark = stepsOf(dir).filter(({ metrics }) => metrics["judge/failed"] > 0)
    assert.isAbove(dark.length, 0)
    for (const { metrics, outcomes } of dark) {
      assert.strictEqual(metrics["unscored"], metrics["judge/failed"])
      for (const outcome of outcomes) if (outcome.scored === 0) assert.isUndefined(outcome.advantage)
    }
    // the calls of a step hang together, each until its deadline: one after the other every step would take two of them at least. A machine whose cores
    // are all taken may hold a step up by more than the half second that is allowed for, but not every one
    const scored = eventsOf(readFileSync(join(dir, "timings.ndjson"), "utf8")).flatMap(({ seconds, stage, step }) =>
      stage === "train" && dark.some((one) => one.step === step) ? [seconds.score] : []
    )
    assert.strictEqual(scored.length, dark.length)
    assert.isAtLeast(Math.max(...scored), 2)
    assert.isAtMost(Math.min(...scored), 1.1 * 2 + 0.5)
  }).pipe(Effect.provide(ChatServer.layer(honest)))
)
