import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { admit, GateState, metrics, missing, open } from "../src/Gate.ts"
import { sizes } from "./Pools.ts"

const group = (question_id: string, passed: number, scored = 8) => ({ question_id, passed, scored, generated: 8 })

describe("the DAPO gate", () => {
  it("rejects groups that are all wrong or all right and asks for what is missing", () => {
    const [first, half] = admit(open({ promptsPerStep: 3 }), [group("a", 0), group("b", 3), group("c", 8)])
    assert.deepStrictEqual(first, { admitted: ["b"], rejected: ["a", "c"], returned: [] })
    assert.strictEqual(missing(half), 2)
    const [second, full] = admit(half, [group("d", 1), group("e", 0, 0), group("f", 7), group("g", 4)])
    assert.deepStrictEqual(second, { admitted: ["d", "f"], rejected: [], returned: ["e", "g"] })
    assert.strictEqual(missing(full), 0)
    assert.deepStrictEqual(metrics(full), {
      "curriculum/admission_rate": 3 / 7,
      "curriculum/generated": 56,
      "curriculum/rounds": 2,
      "curriculum/rejected_low": 1,
      "curriculum/rejected_high": 1,
      "curriculum/gate_unscored": 1,
      "curriculum/surplus": 1,
      "curriculum/short": 0
    })
  })

  it("with an inclusive band is the balanced online filter", () => {
    const gate = open({ promptsPerStep: 9, low: 0.25, high: 0.75, inclusive: true })
    const [{ admitted, rejected }] = admit(
      gate,
      Array.from({ length: 9 }, (_, k) => group(String(k), k))
    )
    assert.deepStrictEqual(admitted, ["2", "3", "4", "5", "6"])
    assert.deepStrictEqual(rejected, ["0", "1", "7", "8"])
  })

  it("gives up after its rounds and says how short the batch is", () => {
    let state = open({ promptsPerStep: 2, maxRounds: 3 })
    for (let round = 0; missing(state) > 0; round++) state = admit(state, [group(`${round}`, 8)])[1]
    assert.deepInclude(metrics(state), { "curriculum/rounds": 3, "curriculum/short": 2, "curriculum/generated": 24 })
  })

  const rounds = Arbitrary.schema(
    Schema.Array(Schema.Array(Schema.Tuple([Schema.Int, Schema.Int])).check(Schema.isMaxLength(12))).check(
      Schema.isMaxLength(5)
    )
  )
  it.prop(
    "conservation: every question is admitted, rejected or returned, and every completion is counted; a snapshot continues",
    [rounds, sizes],
    ([each, promptsPerStep]) => {
      let state: GateState = open({ promptsPerStep })
      let asked = 0
      each.forEach((round, r) => {
        const groups = round.map(([a, b], i) => {
          const scored = Math.abs(a) % 5
          return { question_id: `${r}/${i}`, scored, passed: Math.abs(b) % (scored + 1), generated: 4 }
        })
        asked += groups.length
        const [result, next] = admit(state, groups)
        const all = [...result.admitted, ...result.rejected, ...result.returned]
        assert.deepStrictEqual(all.toSorted(), groups.map(({ question_id }) => question_id).toSorted())
        const restored = Schema.decodeSync(GateState)(JSON.parse(JSON.stringify(Schema.encodeSync(GateState)(state))))
        assert.deepStrictEqual(admit(restored, groups), [result, next])
        state = next
      })
      assert.isAtMost(state.admitted.length, promptsPerStep)
      assert.strictEqual(state.generated, asked * 4)
      const counts = metrics(state)
      const sum = ["rejected_low", "rejected_high", "gate_unscored", "surplus"].map(
        (key) => counts[`curriculum/${key}`]
      )
      assert.strictEqual(
        sum.reduce<number>((total, count) => total + (count ?? NaN), state.admitted.length),
        asked
      )
    }
  )
})
