import { assert, describe, it } from "@effect/vitest"
import { decideEarly } from "@gradus/curriculum/EarlyDecision"
import * as Seed from "@gradus/domain/Seed"
import type { AnswerRecord } from "../../src/profiler/AnswerRecord.ts"
import { earlyFigures } from "../../src/profiler/EarlyFigures.ts"
import { servedRows } from "../../src/profiler/ServedRows.ts"
import { Tally } from "../../src/profiler/Tally.ts"

const came = (question: number, k: number, value: number | null, more: Partial<AnswerRecord> = {}): AnswerRecord => ({
  question,
  k,
  value,
  failed: false,
  truncated: false,
  empty: false,
  prompt_tokens: 2,
  completion_tokens: 10,
  bytes: 1,
  ...more
})
const options = { questions: 2, samples: 4, passMark: 1, consecutive: false }

/** Works a tally off with the answers of `valueOf`, in one line. */
const workOff = (tally: Tally, valueOf: (question: number, k: number) => number, limit = 99): number => {
  let asked = 0
  for (let task = tally.take(limit); task !== undefined; task = tally.take(limit)) {
    for (const k of task.ks) tally.settle(came(task.question, k, valueOf(task.question, k)))
    asked += task.ks.length
    tally.advance(task.question)
  }
  return asked
}

describe("the list", () => {
  it("asks for exactly what is not settled, and every sample once", () => {
    const tally = new Tally(options)
    tally.settle(came(0, 1, 1))
    tally.settle(came(0, 3, 0))
    tally.begin()
    assert.deepStrictEqual(tally.take(99), { question: 0, ks: [0, 2] })
    assert.deepStrictEqual(tally.take(3), { question: 1, ks: [0, 1, 2] })
    assert.deepStrictEqual(tally.take(3), { question: 1, ks: [3] })
    assert.isUndefined(tally.take(3))
    assert.isFalse(tally.finished())
  })

  it("takes back what did not come", () => {
    const tally = new Tally(options)
    tally.begin()
    tally.take(99)
    tally.take(99)
    tally.settle(came(0, 0, 1))
    tally.giveBack(0, [1, 2, 3])
    tally.advance(0)
    assert.deepStrictEqual(tally.take(99), { question: 0, ks: [1, 2, 3] })
    assert.isUndefined(tally.take(99))
  })

  it("gives only runs of numbers where seeds are sent", () => {
    const tally = new Tally({ ...options, consecutive: true })
    tally.settle(came(0, 1, 1))
    tally.begin()
    assert.deepStrictEqual(
      [tally.take(99), tally.take(99), tally.take(99), tally.take(99)],
      [{ question: 0, ks: [0] }, { question: 0, ks: [2, 3] }, { question: 1, ks: [0, 1, 2, 3] }, undefined]
    )
  })

  it("is finished when everything is settled, and gone through in time linear in its length", () => {
    const tally = new Tally({ ...options, questions: 20_000 })
    tally.begin()
    assert.strictEqual(
      workOff(tally, (question, k) => Number(k < question % 5)),
      80_000
    )
    assert.isTrue(tally.finished())
    assert.deepInclude(tally.totals(), { settled: 80_000, scored: 80_000, passed: 40_000, completion_tokens: 800_000 })
  })
})

describe("counts", () => {
  it("keep unscored, failed, truncated and empty apart; what comes twice counts once", () => {
    const tally = new Tally({ ...options, passMark: 0.5 })
    tally.settle(came(0, 0, 0.5, { truncated: true }))
    tally.settle(came(0, 0, 0))
    tally.settle(came(0, 1, null, { empty: true, completion_tokens: null, prompt_tokens: null }))
    tally.settle(came(0, 2, null, { failed: true, completion_tokens: null, prompt_tokens: null }))
    tally.settle(came(0, 3, 0.4))
    assert.deepStrictEqual(tally.countsOf(0), {
      asked: 4,
      scored: 2,
      passed: 1,
      failed: 1,
      truncated: 1,
      empty: 1,
      completions: 3,
      prompt_tokens: 4,
      completion_tokens: 20,
      uncounted: 1,
      early: false
    })
  })

  it("of a failure go back when it is asked again, and an answer replaces a failure that is stored before it", () => {
    const stored = [came(0, 0, null, { failed: true }), came(0, 1, null, { failed: true }), came(0, 1, 1)]
    const tally = new Tally({ ...options, questions: 1, samples: 2 })
    for (const record of stored) tally.settle(record)
    assert.deepInclude(tally.countsOf(0), { asked: 2, failed: 1, scored: 1, passed: 1 })
    tally.reopenFailed()
    tally.begin()
    assert.deepStrictEqual(tally.take(9), { question: 0, ks: [0] })
    tally.settle(came(0, 0, 1))
    tally.advance(0)
    assert.isTrue(tally.finished())
    assert.deepInclude(tally.totals(), { settled: 2, failed: 0, passed: 2 })
  })
})

describe("an early rule", () => {
  const rule = { drop_at: 0.75, floor: 0.2, samples: 8, certainty: 0.9 }

  it("stops where asking one by one would stop, and completes what is kept", () => {
    const answers = (question: number): ReadonlyArray<number> => {
      const stream = Seed.stream(Seed.child(Seed.root(3), question))
      return Array.from({ length: 8 }, () => Number(stream.next() < (question % 11) / 10))
    }
    const questions = 500
    const all = Array.from({ length: questions }, (_, q) => answers(q))
    const tally = new Tally({ questions, samples: 8, passMark: 1, consecutive: false, early: rule })
    tally.begin()
    const asked = workOff(tally, (question, k) => all[question]?.[k] ?? 0)
    const rows = all.map((values, q) => {
      let scored = 0
      while (
        !["complete", "drop_easy", "drop_hard"].includes(
          decideEarly(values.slice(0, scored).filter(Boolean).length, scored, rule)
        )
      )
        scored++
      assert.strictEqual(tally.countsOf(q).asked, scored, `question ${q}: ${values.join("")}`)
      return { n: scored, scored, passed: values.slice(0, scored).filter(Boolean).length, early: scored < 8 }
    })
    const saved = rows.reduce((sum, { n }) => sum + 8 - n, 0)
    assert.strictEqual(asked, questions * 8 - saved)
    assert.isTrue(tally.finished())
    assert.strictEqual(tally.totals().spared, saved)

    const figures = earlyFigures(rows, rule)
    assert.strictEqual(figures.saved, saved)
    assert.strictEqual(figures.dropped, rows.filter(({ early }) => early).length)
    assert.isAbove(figures.dropped, 50)
    // what was expected to be dropped wrongly, against what all eight samples say
    const wrong = rows.filter(({ early }, q) => {
      const rate = (all[q]?.filter(Boolean).length ?? 0) / 8
      return early && rate >= 0.2 && rate < 0.75
    }).length
    assert.isAtMost(figures.expected_misfiltered, 0.1)
    assert.closeTo(wrong / questions, figures.expected_misfiltered, 0.03)
  })

  it("leaves no question undone that the table says is kept", () => {
    for (const certainty of [0.55, 0.6, 0.8, 0.95]) {
      const early = { drop_at: 0.75, floor: 0.2, samples: 8, certainty }
      const questions = Array.from({ length: 256 }, (_, i) => ({
        question_id: `q${i}`,
        question: "",
        gold: "",
        thinking: "off" as const
      }))
      const tally = new Tally({ questions: 256, samples: 8, passMark: 1, consecutive: false, early })
      tally.begin()
      // every history of eight answers
      workOff(tally, (question, k) => (question >> k) & 1)
      const rows = servedRows(questions, (question) => tally.countsOf(question), 0.9, early)
      const dropped = rows.filter((row) => row.early)
      assert.isAbove(dropped.length, 20)
      assert.deepStrictEqual(
        dropped.filter(({ reason }) => reason === null),
        [],
        `certainty ${certainty}`
      )
      assert.isTrue(rows.every(({ n, reason }) => reason !== null || n === 8))
    }
  })

  it("goes on in the middle of a round with the same result", () => {
    const valueOf = (_question: number, k: number): number => Number(k !== 2)
    const made = (stored: ReadonlyArray<AnswerRecord>): Tally => {
      const tally = new Tally({ questions: 1, samples: 8, passMark: 1, consecutive: false, early: rule })
      for (const record of stored) tally.settle(record)
      tally.begin()
      workOff(tally, valueOf)
      return tally
    }
    const whole = made([]).countsOf(0)
    for (const ks of [[0], [1, 3], [0, 1, 2, 4]])
      assert.strictEqual(made(ks.map((k) => came(0, k, valueOf(0, k)))).countsOf(0).asked >= whole.asked, true)
    assert.deepStrictEqual(made([0, 1, 2].map((k) => came(0, k, valueOf(0, k)))).countsOf(0), whole)
  })
})
