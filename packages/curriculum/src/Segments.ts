/**
 * A permutation of questions cut into consecutive segments, between which questions move by swaps: a move to a segment k places away costs
 * k swaps, whatever the number of questions, and a random member of a segment is found at once. The functions change the arrays that
 * they are given; states copy them before.
 */
import * as Schema from "effect/Schema"
import { Int32s } from "./TypedArrays.ts"

export const Segments = Schema.Struct({
  /** Questions, segment after segment. */
  order: Int32s,
  /** Where each question stands in `order`. */
  place: Int32s,
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
  const place = new Int32Array(segmentOf.length)
  for (let i = 0; i < segmentOf.length; i++) {
    const at = next[segmentOf[i] ?? 0]!++
    order[at] = i
    place[i] = at
  }
  return { order, place, bounds }
}

/** Copies segments, to be changed. */
export const copy = ({ bounds, order, place }: Segments): Segments => ({
  order: order.slice(),
  place: place.slice(),
  bounds: bounds.slice()
})

/** Counts the questions of a segment. */
export const size = ({ bounds }: Segments, segment: number): number =>
  (bounds[segment + 1] ?? 0) - (bounds[segment] ?? 0)

/** Finds the segment of a question. */
export const segmentOf = ({ bounds, place }: Segments, question: number): number => {
  const position = place[question] ?? 0
  let low = 0
  let high = bounds.length - 2
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((bounds[middle] ?? 0) <= position) low = middle
    else high = middle - 1
  }
  return low
}

/** Moves a question to another segment, in place: it changes places with the end of each segment on the way, which then is the next one's. */
export const move = (segments: Segments, question: number, from: number, to: number): void => {
  const { bounds, order, place } = segments
  let at = place[question] ?? 0
  const settle = (edge: number): void => {
    if (edge === at) return
    const other = order[edge] ?? 0
    order[at] = other
    place[other] = at
    at = edge
  }
  for (let s = from; s < to; s++) {
    settle((bounds[s + 1] ?? 0) - 1)
    bounds[s + 1]! -= 1
  }
  for (let s = from; s > to; s--) {
    settle(bounds[s] ?? 0)
    bounds[s]! += 1
  }
  order[at] = question
  place[question] = at
}
