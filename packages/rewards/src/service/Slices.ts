/** Long lists of short synchronous work, in slices: between two of them whoever waits has a turn, so that one large batch does not hold up a small one. */
import * as Effect from "effect/Effect"

/** Completions are read in some 12 microseconds each: a slice is well below a millisecond. */
const SLICE = 32

/** Maps a list in order, and yields after every slice. */
export const mapInSlices = Effect.fnUntraced(function* <A, B>(
  items: ReadonlyArray<A>,
  f: (item: A, index: number) => B
) {
  const mapped: Array<B> = []
  for (let start = 0; start < items.length; start += SLICE) {
    if (start > 0) yield* Effect.yieldNow
    mapped.push(...items.slice(start, start + SLICE).map((item, i) => f(item, start + i)))
  }
  return mapped as ReadonlyArray<B>
})
