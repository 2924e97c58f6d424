/** Which moment is killed at next: a count of kills says little when half of them came at one write. */
import * as Seed from "@gradus/domain/Seed"
import { assert, describe, it } from "@effect/vitest"
import { Schedule } from "../schedule.ts"

const moments = ["a", "b", "b", "c", "b", "d", "c", "a"]
const made = (isFirst?: (kind: string) => boolean) => new Schedule(Seed.stream(Seed.root(7)), isFirst)

describe("the order of kills", () => {
  it("gives each kind of moment its turn before any has a second one", () => {
    const schedule = made()
    const kinds = Array.from({ length: 8 }, () => schedule.choose(moments, 0, 1)?.kind)
    assert.deepStrictEqual([kinds.slice(0, 4).toSorted(), kinds.slice(4).toSorted()], [[..."abcd"], [..."abcd"]])
  })

  it("counts a moment from where the run stands, and lets the run finish when what lies ahead had a turn more than what is due", () => {
    const schedule = made((kind) => kind === "d")
    assert.deepStrictEqual(schedule.choose(moments, 0, 1), { kind: "d", time: 0, place: 5 })
    const after = made((kind) => kind === "c")
    assert.deepStrictEqual(after.choose(moments, 4, 1), { kind: "c", time: 0, place: 6 })
    const behind = made((kind) => kind === "d")
    const kinds = Array.from({ length: 3 }, () => behind.choose(moments, 6, 1)?.kind)
    assert.deepStrictEqual([kinds.slice(0, 2).toSorted(), kinds[2]], [["a", "c"], undefined])
  })

  it("spreads the kills of a run over its places, and takes what is nearest when nothing is near", () => {
    const [turn] = [made().choose(moments, 0, 8)]
    assert.isBelow(turn?.place ?? NaN, 2)
    assert.deepStrictEqual(made((kind) => kind === "d").choose(moments, 0, 8), { kind: "d", time: 0, place: 5 })
  })

  it("takes a turn back in which no kill came, twice: a kind that does not come again has had its turn then", () => {
    const schedule = made((kind) => kind === "d")
    for (let miss = 0; miss < 3; miss++) {
      assert.strictEqual(schedule.choose(moments, 0, 1)?.kind, "d")
      schedule.miss("d")
    }
    assert.notStrictEqual(schedule.choose(moments, 0, 1)?.kind, "d")
  })
})
