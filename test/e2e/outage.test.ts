/** A judge that is down for a part of a run: nothing is scored because of it, and what was not scored can be scored later. */
import { ChatServer } from "@gradus/testing/ChatServer"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { directory, gradus, lastLine, root, start } from "../gradus.ts"

const block = (name: string, text: string): string =>
  new RegExp(`BEGIN ${name} (\\S+)\\n([\\s\\S]*?)\\nEND ${name} \\1`).exec(text)?.[2]?.trim() ?? ""

/** Judges honestly: yes where the candidate is the correct answer. */
const honest = ({ body }: { readonly body: { readonly messages: ReadonlyArray<{ readonly content: string }> } }) => {
  const text = body.messages.map(({ content }) => content).join("\n")
  const right = block("candidate", text) === block("correct", text)
  return { kind: "answer", text: right ? "yes" : "no" } as const
}

it.live("a judge that goes down and comes back", () =>
  Effect.gen(function* () {
    const judge = yield* ChatServer
    const runs = directory()
    const rewards = {
      accuracy: "judge",
      judge: { endpoint: judge.endpoint, model: "loopback", attempts: 1, deadline: 5, concurrency: 8 }
    }
    const args = [
      "run",
      join(root, "test/e2e/tiny.yaml"),
      "-s",
      "train.steps=30",
      "-s",
      "train.prompts_per_step=1",
      "-s",
      `rewards=${JSON.stringify(rewards)}`,
      "--runs",
      runs,
      "--json"
    ]
    const running = start(args)
    yield* Effect.promise(() => running.said("train 1/"))
    yield* judge.follow(() => ({ kind: "status", status: 503 }))
    const summary = lastLine(yield* Effect.promise(() => running.ended))
    yield* judge.follow(honest)
    const events: ReadonlyArray<any> = readFileSync(join(summary.dir, "events.ndjson"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line))
    const steps = events.filter((event) => event._tag === "step_generated")
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
  }).pipe(Effect.provide(ChatServer.layer(honest)))
)
