import { assert, describe, it } from "@effect/vitest"
import { ofText } from "@gradus/domain/Digest"
import type { JournalEvent } from "@gradus/domain/Journal"
import { metricsRows, metricsText, stepMetrics } from "../src/Records.ts"

const applied = (step: number, update: number, loss: number | null): JournalEvent => ({
  _tag: "update_applied",
  step,
  update,
  digest: "d",
  version: update,
  applied: true,
  metrics: { loss }
})

const journal: ReadonlyArray<JournalEvent> = [
  { _tag: "run_started", format: 1, attempt: 1, manifest_digest: "m" },
  {
    _tag: "stage_finished",
    stage: "plan",
    input_digest: "p",
    reused: false,
    rows: [{ format: 1, stage: "plan", step: 0, metrics: { "plan/questions": 7, "plan/batches": 2 } }]
  },
  { _tag: "step_generated", step: 1, updates: [], metrics: { reward: 0.5 } },
  applied(1, 1, 2),
  applied(1, 2, 4),
  { _tag: "step_finished", step: 1, version: 2 },
  { _tag: "checkpoint_written", step: 1, update: 2, digest: "c" },
  { _tag: "run_started", format: 1, attempt: 2, manifest_digest: "m" },
  { _tag: "step_generated", step: 2, updates: [], metrics: { reward: 1 } },
  applied(2, 3, null)
]

const expected =
  `{"format":1,"metrics":{"plan/batches":2,"plan/questions":7},"stage":"plan","step":0}\n` +
  `{"format":1,"metrics":{"loss":3,"reward":0.5},"stage":"train","step":1}\n`

describe("metrics.ndjson", () => {
  it("is drawn from the journal: rows of stages, and one a finished step with the mean of its updates", () => {
    assert.strictEqual(metricsText(metricsRows(journal)), expected)
  })

  it("has the same bytes, and so the same digest, however often the run was interrupted", () => {
    const uninterrupted = journal.filter((event) => event._tag !== "run_started" && event._tag !== "checkpoint_written")
    assert.strictEqual(ofText(metricsText(metricsRows(uninterrupted))), ofText(expected))
  })

  it("has the judge's readings: a row before the first step, then beside what the step itself says", () => {
    const read = (step: number): JournalEvent => ({
      _tag: "judge_read",
      step,
      alarms: [],
      metrics: { "judge/calibration/agreement": 0.5 + step / 10 }
    })
    const rows = metricsRows([
      read(0),
      { _tag: "step_generated", step: 1, updates: [], metrics: { reward: 1 } },
      read(1),
      { _tag: "step_finished", step: 1, version: 1 },
      { _tag: "step_generated", step: 2, updates: [], metrics: { reward: 0 } },
      { _tag: "step_finished", step: 2, version: 2 }
    ])
    assert.deepStrictEqual(
      rows.map(({ stage, step, metrics }) => [stage, step, metrics]),
      [
        ["train", 0, { "judge/calibration/agreement": 0.5 }],
        ["train", 1, { reward: 1, "judge/calibration/agreement": 0.6 }],
        ["train", 2, { reward: 0 }]
      ]
    )
  })

  it("says null where an update's metric is not finite, and keeps a step without updates", () => {
    const end: JournalEvent = { _tag: "step_finished", step: 2, version: 2 }
    assert.deepStrictEqual(metricsRows([...journal, end]).at(-1)?.metrics, { loss: null, reward: 1 })
    assert.deepStrictEqual(stepMetrics({ reward: 0 }, []), { reward: 0 })
  })
})
