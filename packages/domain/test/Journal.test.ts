import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Schema from "effect/Schema"
import { JournalEvent } from "../src/Journal.ts"
import { MetricsRow } from "../src/Metrics.ts"

const Line = Schema.fromJsonString(JournalEvent)
const decode = Schema.decodeUnknownEffect(Line)

/** One line of each kind as format 1 writes it: a reader that no longer takes them breaks the resumption of old runs. */
const format1 = [
  `{"_tag":"run_started","format":1,"attempt":2,"manifest_digest":"ab"}`,
  `{"_tag":"stage_finished","stage":"warmup","input_digest":"cd","reused":true,"weights":"ef","rows":[{"format":1,"stage":"warmup","step":1,"metrics":{"loss":2.5,"entropy":null}}]}`,
  `{"_tag":"stage_finished","stage":"plan","input_digest":"cd","reused":false,"rows":[]}`,
  `{"_tag":"policy_opened","weights":"09"}`,
  `{"_tag":"step_generated","step":3,"updates":[{"update":5,"digest":"0a"},{"update":6,"digest":"0b"}],"metrics":{"reward":0.25,"frac_reward_zero_std":0}}`,
  `{"_tag":"update_applied","step":3,"update":5,"digest":"0a","version":4,"applied":true,"metrics":{"loss":-0.125,"ratio/max":1}}`,
  `{"_tag":"update_applied","step":3,"update":6,"digest":"0b","version":4,"applied":false,"metrics":{"loss":null}}`,
  `{"_tag":"step_finished","step":3,"version":4}`,
  `{"_tag":"checkpoint_written","step":10,"update":19,"digest":"0c"}`,
  `{"_tag":"course_refreshed","step":12,"reason":"every 12 steps","rows":[{"format":1,"stage":"refresh","step":12,"metrics":{"refresh/questions":30}}]}`,
  `{"_tag":"judge_read","step":0,"calibration":{"set":"0d","reading":{"step":0,"labelled":2,"unscored":1,"agreement":1,"falseAccepts":null,"falseRejects":0,"mean":1,"said":["yes","failed"]}},"alarms":[],"metrics":{"judge/calibration/agreement":1}}`,
  `{"_tag":"judge_read","step":7,"alarms":[{"kind":"judge_rises_alone","step":7,"found":0.5,"limit":0.15}],"metrics":{"judge/alarm/judge_rises_alone":1}}`,
  `{"_tag":"run_finished","step":43}`
]

const refused = [
  ["a torn line", `{"_tag":"run_finished","st`],
  ["an event of no kind", `{"_tag":"run_paused","step":1}`],
  ["another format", `{"_tag":"run_started","format":2,"attempt":1,"manifest_digest":"ab"}`],
  [
    "a stage that does not exist",
    `{"_tag":"stage_finished","stage":"tune","input_digest":"a","reused":false,"rows":[]}`
  ],
  ["a step that is no whole number", `{"_tag":"run_finished","step":1.5}`],
  ["a missing field", `{"_tag":"step_finished","step":3}`],
  ["a metric that is a text", `{"_tag":"step_generated","step":1,"updates":[],"metrics":{"reward":"NaN"}}`]
] as const

describe("the journal", () => {
  it.effect.prop(
    "reads back every event that it writes, each on one line",
    [JournalEvent],
    ([event]) =>
      Effect.gen(function* () {
        const line = yield* Schema.encodeEffect(Line)(event)
        assert.isFalse(line.includes("\n"))
        assert.isTrue(Equal.equals(yield* decode(line), event))
        // JSON.stringify is what the orchestrator appends
        assert.isTrue(Equal.equals(yield* decode(JSON.stringify(event)), event))
      }),
    { arbitrary: { runs: 300 } }
  )

  it.effect("reads a line of each kind that format 1 wrote, and writes it again as it was", () =>
    Effect.gen(function* () {
      const events = yield* Effect.forEach(format1, (line) => decode(line))
      assert.deepStrictEqual(
        events.map((event) => JSON.stringify(event)),
        format1
      )
      assert.strictEqual(new Set(events.map((event) => event._tag)).size, JournalEvent.members.length)
    })
  )

  it.effect.each(refused)("refuses %s", ([, line]) =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(decode(line))
      assert.strictEqual(failure._tag, "SchemaError")
    })
  )

  it("keeps what is not a number out of metrics: null stands for it", () => {
    const row = (value: number | null) => ({ format: 1, stage: "train", step: 1, metrics: { loss: value } })
    assert.deepStrictEqual(
      [null, 0, -1.5, NaN, Infinity].map((value) => Schema.is(MetricsRow)(row(value))),
      [true, true, true, false, false]
    )
  })
})
