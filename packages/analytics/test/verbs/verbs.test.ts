/** The table verbs: literal tables in, literal rows out. */
import { assert, describe, it } from "@effect/vitest"
import { type ColumnTable, table } from "arquero"
import { countByLevel } from "../../src/verbs/countByLevel.ts"
import { firstAndLast } from "../../src/verbs/firstAndLast.ts"
import { lastAttempt } from "../../src/verbs/lastAttempt.ts"
import { lengthsByDecision } from "../../src/verbs/lengthsByDecision.ts"
import { metricSeries } from "../../src/verbs/metricSeries.ts"
import { phaseShares } from "../../src/verbs/phaseShares.ts"
import { poolDepletion } from "../../src/verbs/poolDepletion.ts"
import { curvesByStartingLevel } from "../../src/verbs/curvesByStartingLevel.ts"
import { questionHistory } from "../../src/verbs/questionHistory.ts"
import { questionLevels } from "../../src/verbs/questionLevels.ts"
import { runningTotal } from "../../src/verbs/runningTotal.ts"
import { secondsBy } from "../../src/verbs/secondsBy.ts"
import { shareOfMetric } from "../../src/verbs/shareOfMetric.ts"
import { withWilson } from "../../src/verbs/withWilson.ts"

const tableOf = (names: string, ...rows: ReadonlyArray<ReadonlyArray<unknown>>): ColumnTable =>
  table(Object.fromEntries(names.split(" ").map((name, column) => [name, rows.map((row) => row[column])])))

/** The rows of a table as arrays, in the order of its columns. */
const cells = (source: ColumnTable): ReadonlyArray<ReadonlyArray<unknown>> =>
  source.objects().map((row) => Object.values(row))

describe("metricSeries", () => {
  const metrics = tableOf(
    "stage step metric value",
    ["train", 2, "reward", 0.5],
    ["train", 1, "reward", null],
    ["train", 1, "entropy", null],
    ["train", 1, "loss", 3],
    ["warmup", 1, "reward", 9]
  )
  it("keeps the wanted metrics of the stage in order of step, single nulls included, and drops a metric without any value", () =>
    assert.deepStrictEqual(cells(metricSeries("train", ["reward", "entropy"])(metrics)), [
      ["train", 1, "reward", null],
      ["train", 2, "reward", 0.5]
    ]))
  it("gives an empty table where the metric is missing", () =>
    assert.deepStrictEqual(cells(metricSeries("train", ["kl"])(metrics)), []))
})

describe("questionLevels", () => {
  it("names levels k/n and drops from the cut on, below the floor, and what is unscored", () =>
    assert.deepStrictEqual(
      cells(
        questionLevels({ drop_at: 0.75, floor: 0.2 })(
          tableOf(
            "question_id n passed rate",
            ["a", 8, 6, 0.75],
            ["b", 8, 5, 0.625],
            ["c", 8, 1, 0.125],
            ["d", 8, 0, null]
          )
        ).select("question_id", "level", "label", "kept")
      ),
      [
        ["a", 6, "6/8", false],
        ["b", 5, "5/8", true],
        ["c", 1, "1/8", false],
        ["d", -1, "unscored", false]
      ]
    ))
  it("takes tenths where there are more than 12 samples", () =>
    assert.deepStrictEqual(
      cells(
        questionLevels({ drop_at: 0.75 })(
          tableOf("question_id n passed rate", ["a", 64, 64, 1], ["b", 64, 19, 19 / 64])
        ).select("level", "label")
      ),
      [
        [9, "90-100 %"],
        [2, "20-30 %"]
      ]
    ))
})

describe("countByLevel", () => {
  it("counts by level, kept and dropped apart, from the hardest up", () =>
    assert.deepStrictEqual(
      cells(
        countByLevel(
          tableOf("level label kept", [6, "6/8", false], [0, "0/8", true], [6, "6/8", false], [0, "0/8", false])
        )
      ),
      [
        [0, "0/8", false, 1],
        [0, "0/8", true, 1],
        [6, "6/8", false, 2]
      ]
    ))
})

describe("poolDepletion", () => {
  const levels = tableOf(
    "question_id level label kept",
    ["a", 1, "1/8", true],
    ["b", 1, "1/8", true],
    ["c", 0, "0/8", true],
    ["easy", 8, "8/8", false]
  )
  it("starts with the whole pool and takes away what each batch draws; dropped questions have no pool", () =>
    assert.deepStrictEqual(
      cells(poolDepletion(levels)(tableOf("batch question_id", [1, "a"], [2, "b"], [2, "c"], [3, "unknown"]))),
      [
        [0, 0, "0/8", 1],
        [1, 0, "0/8", 1],
        [2, 0, "0/8", 0],
        [3, 0, "0/8", 0],
        [0, 1, "1/8", 2],
        [1, 1, "1/8", 1],
        [2, 1, "1/8", 0],
        [3, 1, "1/8", 0]
      ]
    ))
  it("is the pool alone when the plan is empty", () =>
    assert.deepStrictEqual(cells(poolDepletion(levels)(tableOf("batch question_id"))), [
      [0, 0, "0/8", 1],
      [0, 1, "1/8", 2]
    ]))
})

describe("withWilson", () => {
  it("bounds readings and leaves what has no accuracy or no samples without bounds", () => {
    const rows = cells(
      withWilson(tableOf("accuracy scored", [0, 20], [null, 20], [0.5, 0])).select("accuracy", "low", "high")
    )
    assert.deepStrictEqual(rows.slice(1), [
      [null, null, null],
      [0.5, null, null]
    ])
    assert.strictEqual(rows[0]?.[1], 0)
    assert.approximately(Number(rows[0]?.[2]), 0.1611, 5e-5)
  })
})

describe("firstAndLast", () => {
  it("compares each set's own first and last step, and orders levels as numbers", () =>
    assert.deepStrictEqual(
      cells(
        firstAndLast(
          tableOf(
            "set step level accuracy samples",
            ["heldout", 0, "10", 0.1, 8],
            ["heldout", 0, "9", 0.2, 8],
            ["hard", 0, "14", 0, 8],
            ["heldout", 5, "10", 0.4, 8],
            ["heldout", 9, "10", 0.8, 8],
            ["heldout", 9, "9", 0.9, 8],
            ["hard", 7, "14", null, 8]
          )
        )
      ),
      [
        ["heldout", "9", 0.2, 0.9],
        ["heldout", "10", 0.1, 0.8],
        ["hard", "14", 0, null]
      ]
    ))
})

describe("lastAttempt", () => {
  it("keeps what counted of a step that a resume did again", () =>
    assert.deepStrictEqual(
      cells(
        lastAttempt(
          tableOf(
            "attempt stage step phase seconds",
            [1, "train", 1, "step", 5],
            [1, "train", 2, "step", 7],
            [2, "train", 2, "step", 6]
          )
        )
      ),
      [
        [1, "train", 1, "step", 5],
        [2, "train", 2, "step", 6]
      ]
    ))
})

describe("phaseShares", () => {
  it("replaces the whole step by what its phases leave of it, never negative", () =>
    assert.deepStrictEqual(
      cells(
        phaseShares(
          tableOf(
            "attempt stage step phase seconds",
            [1, "train", 1, "generate", 1],
            [1, "train", 1, "update", 2],
            [1, "train", 1, "step", 3.5],
            [1, "train", 2, "generate", 2],
            [1, "train", 2, "step", 1.5],
            [1, "warmup", 3, "step", 4]
          )
        )
      ),
      [
        ["train", 1, "generate", 1],
        ["train", 1, "update", 2],
        ["train", 1, "other", 0.5],
        ["train", 2, "generate", 2],
        ["train", 2, "other", 0],
        ["warmup", 3, "other", 4]
      ]
    ))
})

describe("secondsBy", () => {
  it("adds up, the largest first", () =>
    assert.deepStrictEqual(
      cells(secondsBy("phase")(tableOf("phase seconds", ["generate", 1], ["update", 5], ["generate", 2]))),
      [
        ["update", 5],
        ["generate", 3]
      ]
    ))
})

describe("questionHistory", () => {
  const profile = tableOf(
    "question_id domain scored rate",
    ["a", "sums", 8, 0.5],
    ["b", null, 8, 0],
    ["never drawn", null, 8, 1]
  )
  const rollouts = tableOf(
    "sample_id question_id step value advantage policy_version",
    ["train/1/b/0", "b", 1, 0, 0, 0],
    ["train/1/b/1", "b", 1, 0, 0, 0],
    ["train/4/a/0", "a", 4, 1, 0.5, 3],
    ["train/4/a/1", "a", 4, 0, -0.7, 3],
    ["train/4/a/2", "a", 4, null, null, 3],
    ["train/2/a/0", "a", 2, 1, 0, 1],
    ["train/2/c/0", "c", 2, null, null, 1]
  )
  it("has a row each time that a question was drawn: rate before, group mean then, advantage given, policy version", () =>
    assert.deepStrictEqual(cells(questionHistory(profile)(rollouts)), [
      ["a", "sums", 0.5, 8, 2, 1, 1, 1, 1, 0, 0, 1],
      ["a", "sums", 0.5, 8, 4, 2, 3, 2, 0.5, 0.6, 2, 3],
      ["b", null, 0, 8, 1, 1, 2, 2, 0, 0, 0, 0],
      ["c", null, null, 0, 2, 1, 1, 0, null, null, 0, 1]
    ]))
  it("has a row for each group of a step: a gate asks a question again whose first group could not be scored", () => {
    const names = "sample_id question_id step value advantage policy_version"
    const rounds = tableOf(
      names,
      ["train/1/a/0", "a", 1, null, null, 0],
      ["train/1/a/1", "a", 1, null, null, 0],
      ["train-refill-10/1/a/0", "a", 1, 1, 0.5, 0],
      ["train-refill-10/1/a/1", "a", 1, 0, -0.5, 0],
      ["train-refill-2/1/a/0", "a", 1, null, null, 0]
    )
    assert.deepStrictEqual(cells(questionHistory(profile)(rounds)), [
      ["a", "sums", 0.5, 8, 1, 1, 2, 0, null, null, 0, 0],
      ["a", "sums", 0.5, 8, 1, 2, 1, 0, null, null, 0, 0],
      ["a", "sums", 0.5, 8, 1, 3, 2, 2, 0.5, 0.5, 2, 0]
    ])
  })
  it("is empty without rollouts", () =>
    assert.deepStrictEqual(
      cells(questionHistory(profile)(tableOf("sample_id question_id step value advantage policy_version"))),
      []
    ))
})

describe("curvesByStartingLevel", () => {
  it("averages groups by quarter of the starting rate and window of steps", () =>
    assert.deepStrictEqual(
      cells(
        curvesByStartingLevel(2)(
          tableOf(
            "profile_rate step group_mean advantage",
            [0, 1, 0.25, 0.5],
            [0.125, 2, 0.75, 0],
            [0.25, 2, 0.5, 0.1],
            [1, 3, 1, 0],
            [0, 3, 0.5, null],
            [null, 3, 0.5, 0.1],
            [0.5, 3, null, null]
          )
        )
      ),
      [
        [0, "0-25 %", 1, 2, 0.5, 0.0625, 0.5],
        [0, "0-25 %", 3, 1, 0.5, 0, 1],
        [1, "25-50 %", 1, 1, 0.5, 0.25, 0],
        [3, "75-100 %", 3, 1, 1, 1, 1]
      ]
    ))
})

describe("lengthsByDecision", () => {
  it("shares the questions of each decision out over bins of their answers' length", () =>
    assert.deepStrictEqual(
      cells(
        lengthsByDecision(5)(tableOf("kept mean_tokens", [true, 4.9], [true, 5], [true, 9.9], [false, 12], [true, 20]))
      ),
      [
        [false, 10, 1, 1],
        [true, 0, 1, 0.25],
        [true, 5, 2, 0.5],
        [true, 20, 1, 0.25]
      ]
    ))
})

describe("runningTotal", () => {
  it("adds each metric up over its own steps, and nothing where there is no value", () =>
    assert.deepStrictEqual(
      cells(
        runningTotal(
          tableOf(
            "stage step metric value",
            ["train", 2, "a", 3],
            ["train", 1, "a", 1],
            ["train", 1, "b", 10],
            ["train", 3, "a", null]
          )
        ).orderby("metric", "step")
      ),
      [
        ["train", 1, "a", 1],
        ["train", 2, "a", 4],
        ["train", 3, "a", 4],
        ["train", 1, "b", 10]
      ]
    ))
})

describe("shareOfMetric", () => {
  it("divides step by step, and has no share of nothing", () =>
    assert.deepStrictEqual(
      cells(
        shareOfMetric(
          "train",
          "right",
          "graded"
        )(
          tableOf(
            "stage step metric value",
            ["train", 2, "right", 3],
            ["train", 2, "graded", 4],
            ["train", 1, "graded", 0],
            ["train", 1, "right", 0],
            ["train", 3, "right", null],
            ["train", 3, "graded", 5],
            ["train", 4, "right", 1],
            ["profile", 4, "graded", 1]
          )
        )
      ),
      [
        [1, null],
        [2, 0.75],
        [3, null]
      ]
    ))
})
