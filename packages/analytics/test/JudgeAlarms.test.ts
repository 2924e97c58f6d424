import { assert, describe, it } from "@effect/vitest"
import { judgeAlarms } from "../src/report/JudgeAlarms.ts"

const row = (step: number, metrics: Readonly<Record<string, number>>) =>
  ({ format: 1, stage: "train", step, metrics }) as const

describe("the judge's alarms in a report", () => {
  it("are said once a kind, with their steps", () => {
    const metrics = [
      row(0, { "judge/alarm/agreement": 1 }),
      row(1, { reward: 0.5 }),
      row(4, { "judge/alarm/agreement": 1, "judge/alarm/judge_rises_alone": 1 })
    ]
    assert.deepStrictEqual(
      judgeAlarms({ metrics }).map((line) => line.split(":", 1)[0]),
      [
        "At step 0, 4 the judge agreed with fewer of the labelled answers than the manifest asks for.",
        "At step 4 the judge's mean rose while a sample graded by a rule did not"
      ]
    )
    assert.deepStrictEqual(judgeAlarms({ metrics: [row(1, {})] }), [])
  })
})
