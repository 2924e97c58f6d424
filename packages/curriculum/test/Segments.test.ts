import { assert, describe, it } from "@effect/vitest"
import * as Seed from "@gradus/domain/Seed"
import * as Segments from "../src/Segments.ts"

const segmentsOf = (segments: Segments.Segments): ReadonlyArray<ReadonlyArray<number>> =>
  Array.from({ length: segments.bounds.length - 1 }, (_, s) => [
    ...segments.order.subarray(segments.bounds[s], segments.bounds[s + 1])
  ])

describe("segments", () => {
  it("hold their questions in order, and know the segment of a place", () => {
    const made = Segments.make(Int32Array.of(2, 0, 2, 0, 3), 4)
    assert.deepStrictEqual(segmentsOf(made), [[1, 3], [], [0, 2], [4]])
    assert.deepStrictEqual(
      [0, 1, 2, 3, 4].map((place) => Segments.segmentAt(made, place)),
      [0, 0, 2, 2, 3]
    )
  })

  it("move members to the ends of segments, as removing and adding them would, for any members and segments", () => {
    for (let seed = 0; seed < 300; seed++) {
      const stream = Seed.stream(Seed.root(seed))
      const count = 1 + stream.below(6)
      const questions = stream.below(30)
      const made = Segments.make(
        Int32Array.from({ length: questions }, () => stream.below(count)),
        count
      )
      const before = [...made.order, ...made.bounds]
      const places = stream
        .shuffle(Int32Array.from({ length: questions }, (_, i) => i))
        .slice(0, questions === 0 ? 0 : stream.below(questions + 1))
      const to = places.map(() => stream.below(count))
      const members = [...places].map((place) => made.order[place] ?? -1)
      const { places: after, segments } = Segments.rearrange(made, places, to)
      segmentsOf(segments).forEach((own, s) => {
        const arrived = members.filter((_, i) => to[i] === s)
        const stayed = (segmentsOf(made)[s] ?? []).filter((question) => !members.includes(question))
        assert.sameMembers(own.slice(0, stayed.length), stayed)
        assert.deepStrictEqual(own.slice(stayed.length), arrived)
      })
      assert.deepStrictEqual(
        [...after].map((place) => segments.order[place]),
        members
      )
      assert.deepStrictEqual([...made.order, ...made.bounds], before, "what was given is as it was")
    }
  })
})
