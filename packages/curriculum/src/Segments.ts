/**
 * A permutation of questions cut into consecutive segments. A member is known by its place: a random member of a segment is found at once, and moving
 * members to other segments costs one copy of the order and a few steps a member, whatever the number of questions. Nothing is changed in place.
 */
import * as Schema from "effect/Schema"
import { Int32s } from "./TypedArrays.ts"

export const Segments = Schema.Struct({
  /** Questions, segment after segment. */
  order: Int32s,
  /** Segment s is order[bounds[s]] .. order[bounds[s + 1] - 1]. */
  bounds: Int32s
})
export type Segments = typeof Segments.Type

/** Makes segments of the number of each question's segment; questions of a segment keep their order. */
export const make = (segmentOf: Int32Array, segments: number): Segments => {
  const bounds = new Int32Array(segments + 1)
  for (let i = 0; i < segmentOf.length; i++) bounds[(segmentOf[i] ?? 0) + 1]! += 1
  for (let s = 0; s < segments; s++) bounds[s + 1]! += bounds[s] ?? 0
  const next = bounds.slice()
  const order = new Int32Array(segmentOf.length)
  for (let i = 0; i < segmentOf.length; i++) order[next[segmentOf[i] ?? 0]!++] = i
  return { order, bounds }
}

/** Counts the questions of a segment. */
export const size = ({ bounds }: Segments, segment: number): number =>
  (bounds[segment + 1] ?? 0) - (bounds[segment] ?? 0)

/** Finds the segment of a place. */
export const segmentAt = ({ bounds }: Segments, place: number): number => {
  let low = 0
  let high = bounds.length - 2
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((bounds[middle] ?? 0) <= place) low = middle
    else high = middle - 1
  }
  return low
}

/** Sorts the numbers 0 .. n - 1 by segment: those of segment s are members[starts[s]] .. members[starts[s + 1] - 1], in rising order. */
const bySegment = (of: Int32Array, segments: number) => {
  const starts = new Int32Array(segments + 1)
  for (let i = 0; i < of.length; i++) starts[(of[i] ?? 0) + 1]! += 1
  for (let s = 0; s < segments; s++) starts[s + 1]! += starts[s] ?? 0
  const next = starts.slice()
  const members = new Int32Array(of.length)
  for (let i = 0; i < of.length; i++) members[next[of[i] ?? 0]!++] = i
  return { starts, members }
}

/**
 * Moves the members at distinct places to the segments `to` (parallel to them), also where that is their own: they end up at the end of it, in the order
 * given. Returns the segments after that, and the members' places in them.
 */
export const rearrange = (
  segments: Segments,
  places: Int32Array,
  to: Int32Array
): { readonly segments: Segments; readonly places: Int32Array } => {
  const count = segments.bounds.length - 1
  const leaving = bySegment(
    places.map((place) => segmentAt(segments, place)),
    count
  )
  const arriving = bySegment(to, count)
  const order = new Int32Array(segments.order.length)
  const bounds = new Int32Array(count + 1)
  const moved = new Int32Array(places.length)
  for (let s = 0; s < count; s++) {
    const holes = leaving.members.subarray(leaving.starts[s], leaving.starts[s + 1])
    const stay = size(segments, s) - holes.length
    const begin = bounds[s] ?? 0
    keep(
      segments,
      s,
      stay,
      holes.map((i) => places[i] ?? 0),
      order,
      begin
    )
    let next = begin + stay
    for (let j = arriving.starts[s] ?? 0; j < (arriving.starts[s + 1] ?? 0); j++) {
      const i = arriving.members[j] ?? 0
      moved[i] = next
      order[next++] = segments.order[places[i] ?? 0] ?? 0
    }
    bounds[s + 1] = next
  }
  return { segments: { order, bounds }, places: moved }
}

/** Copies what stays of a segment to `out` from `begin` on: holes among its first `stay` places are filled from its end. */
const keep = (
  { bounds, order }: Segments,
  segment: number,
  stay: number,
  holes: Int32Array,
  out: Int32Array,
  begin: number
): void => {
  const from = bounds[segment] ?? 0
  const tail = from + stay
  out.set(order.subarray(from, tail), begin)
  if (holes.length === 0) return
  const gone = new Uint8Array(holes.length)
  for (let h = 0; h < holes.length; h++) if ((holes[h] ?? 0) >= tail) gone[(holes[h] ?? 0) - tail] = 1
  let filler = 0
  for (let h = 0; h < holes.length; h++) {
    const hole = holes[h] ?? 0
    if (hole >= tail) continue
    while (gone[filler] === 1) filler++
    out[begin + hole - from] = order[tail + filler++] ?? 0
  }
}
