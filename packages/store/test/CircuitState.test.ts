import { assert, describe, it } from "@effect/vitest"
import { type Circuit, circuitAt, enter, leave } from "../src/CircuitState.ts"

const RATE = { _tag: "Rate", threshold: 0.5, minimumCalls: 4, size: 4 } as const
const LEASE = 10_000

/** A call that is let in and ends with an outcome. */
const call = (circuit: Circuit, now: number, outcome: "Success" | "Failure" | "Ignored", failures = 1): Circuit => {
  const [entered, entrance] = enter(circuit, now, LEASE)
  if (entrance.kind !== "in") throw new Error(entrance.kind)
  const tripPolicy = { _tag: "Consecutive", failures } as const
  return leave(entered, { generation: entrance.admission.generation, outcome, tripPolicy, openFor: 100 }, now)
}

describe("a circuit", () => {
  it("opens after so many failures in a row, and a success or an hour between them starts the count again", () => {
    const once = call(circuitAt(undefined, 0), 0, "Failure", 2)
    assert.strictEqual(once.state, "Closed")
    assert.strictEqual(call(once, 1, "Failure", 2).state, "Open")
    assert.strictEqual(call(call(once, 1, "Success", 2), 2, "Failure", 2).state, "Closed")
    assert.strictEqual(call(call(once, 1, "Ignored", 2), 2, "Failure", 2).state, "Open")
    assert.strictEqual(call(circuitAt(once, 3_600_000), 3_600_000, "Failure", 2).state, "Closed")
  })

  it("is tried by one call at a time, and by another one when the first one's lease is over", () => {
    const open = call(circuitAt(undefined, 0), 0, "Failure")
    assert.deepStrictEqual(enter(open, 99, LEASE)[1], { kind: "open", millis: 1 })
    const [trying, entrance] = enter(open, 100, LEASE)
    assert.deepInclude(entrance, { kind: "in", tried: true })
    assert.deepStrictEqual(enter(trying, 100 + LEASE - 1, LEASE)[1], { kind: "trying" })
    const [taken, second] = enter(trying, 100 + LEASE, LEASE)
    assert.deepInclude(second, { kind: "in", tried: false })
    // what the first trial says afterwards is of an earlier generation
    const late = { generation: trying.generation, outcome: "Success", tripPolicy: RATE, openFor: 100 } as const
    assert.deepStrictEqual(leave(taken, late, 100 + LEASE + 1), taken)
  })

  it("counts how often it has opened until it has been well for as long as it was open", () => {
    const twice = call(call(circuitAt(undefined, 0), 0, "Failure"), 100, "Failure")
    assert.deepInclude(twice, { state: "Open", openings: 2, openUntil: 200 })
    const well = call(twice, 200, "Success")
    assert.deepInclude(well, { state: "Closed", openings: 2, resetAt: 300 })
    assert.strictEqual(enter(well, 299, LEASE)[0].openings, 2)
    assert.strictEqual(enter(well, 300, LEASE)[0].openings, 0)
  })

  it("opens at a share of failures among the latest calls, under that policy", () => {
    const outcomes = ["Success", "Failure", "Success", "Success", "Failure"] as const
    const circuits = outcomes.reduce<ReadonlyArray<Circuit>>((all, outcome, now) => {
      const [entered] = enter(all.at(-1) ?? circuitAt(undefined, 0), now, LEASE)
      return [...all, leave(entered, { generation: entered.generation, outcome, tripPolicy: RATE, openFor: 100 }, now)]
    }, [])
    assert.deepStrictEqual(
      circuits.map(({ recent, state }) => [recent, state]),
      [
        ["0", "Closed"],
        ["01", "Closed"],
        ["010", "Closed"],
        ["0100", "Closed"],
        ["", "Open"]
      ]
    )
  })
})
