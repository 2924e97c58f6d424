/** A share of a plan for one of several machines that cannot see each other's leases. */
import type { Cell } from "./Cell.ts"

export interface Shard {
  readonly index: number
  readonly of: number
}

/** Reads `i/n`, i from 0; undefined for anything else. */
export const parseShard = (text: string): Shard | undefined => {
  const match = /^(\d{1,6})\/(\d{1,6})$/.exec(text)
  const [index, of] = [Number(match?.[1]), Number(match?.[2])]
  return match !== null && of > 0 && index < of ? { index, of } : undefined
}

/** Deals cells out by what they share first: cells of one warm-up go to one machine, which makes it once. */
export const shardOf = (cells: ReadonlyArray<Cell>, { index, of }: Shard): ReadonlyArray<Cell> => {
  const groups = new Map<string, Array<Cell>>()
  for (const cell of cells) {
    const key = cell.warmup ?? cell.profile
    groups.set(key, [...(groups.get(key) ?? []), cell])
  }
  // where there are fewer groups than machines, a stage is made more than once rather than leaving machines idle
  if (groups.size < of) return cells.filter((_, i) => i % of === index)
  return [...groups.values()].filter((_, i) => i % of === index).flat()
}
