/** Draws of levels at random: each place of a batch falls on a level with its share, while the level has questions. */
import type { Stream } from "@gradus/domain/Seed"
import { allocate, type Allocation } from "./Allocation.ts"

/** Breaks ties in filling by the order of the levels. */
const inOrder = (length: number): Int32Array => Int32Array.from({ length }, (_, j) => j)

/**
 * Draws `size` levels, one after the other, with probability share_j among the levels that still have questions. When all levels with a
 * positive share are empty the rest is filled from the largest pools.
 */
export const drawLevels = (
  size: number,
  shares: ArrayLike<number>,
  available: ArrayLike<number>,
  stream: Stream
): Allocation => {
  const take = new Int32Array(available.length)
  const open = Float64Array.from(available, (count, j) => (count > 0 ? Math.max(0, shares[j] ?? 0) : 0))
  let total = open.reduce((sum, share) => sum + share, 0)
  let drawn = 0
  for (; drawn < size && total > 0; drawn++) {
    const level = pick(open, stream.next() * total)
    take[level]! += 1
    if (take[level] !== available[level]) continue
    open[level] = 0
    total = open.reduce((sum, share) => sum + share, 0)
  }
  if (drawn === size) return { take, fill: 0 }
  return allocate(size, take, available, inOrder(available.length))
}

/** Finds the level in whose part of [0, sum of shares) a number falls. */
const pick = (shares: Float64Array, at: number): number => {
  let below = 0
  let last = 0
  for (let j = 0; j < shares.length; j++) {
    const share = shares[j] ?? 0
    if (share === 0) continue
    below += share
    last = j
    if (at < below) return j
  }
  return last
}
