/**
 * An order of questions that depends on their ids alone, so that the order of a file's rows never reaches a plan.
 * Ids are sorted by a hash (a million strings sort in seconds, a million doubles in a tenth of one), equal hashes by id.
 */

import { PoolInvalid } from "./PoolInvalid.ts"

/** Hashes a text to 53 bits: two multiplicative lanes over its UTF-16 units. Not a source of randomness. */
const hash = (text: string): number => {
  let a = 0xdeadbeef
  let b = 0x41c6ce57
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    a = Math.imul(a ^ unit, 2654435761)
    b = Math.imul(b ^ unit, 1597334677)
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909)
  return (b >>> 0) + (a & 0x1fffff) * 4294967296
}

/**
 * Lists the indices of `ids` in canonical order.
 * Throws `PoolInvalid`, which names an id that is found twice or empty and its row.
 */
export const canonicalOrder = (ids: ReadonlyArray<string>): Int32Array => {
  const indexBits = Math.max(1, Math.ceil(Math.log2(ids.length + 1)))
  const room = 2 ** indexBits
  const packed = new Float64Array(ids.length)
  // The hash keeps the bits of a double that the index leaves, so that sorting the packed numbers sorts both.
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] === "") throw new PoolInvalid({ question_id: '""', row: i + 1, reason: "has an empty id" })
    packed[i] = Math.floor(hash(ids[i] ?? "") / room) * room + i
  }
  packed.sort()
  const order = new Int32Array(ids.length)
  let runFrom = 0
  let runHash = NaN
  for (let i = 0; i < order.length; i++) {
    const value = packed[i] ?? 0
    const own = Math.floor(value / room)
    order[i] = value - own * room
    if (own === runHash) continue
    if (i - runFrom > 1) sortRun(order, ids, runFrom, i)
    runFrom = i
    runHash = own
  }
  if (order.length - runFrom > 1) sortRun(order, ids, runFrom, order.length)
  return order
}

const sortRun = (order: Int32Array, ids: ReadonlyArray<string>, from: number, to: number): void => {
  const idOf = (index: number | undefined): string => ids[index ?? -1] ?? ""
  order.subarray(from, to).sort((x, y) => (idOf(x) < idOf(y) ? -1 : idOf(x) > idOf(y) ? 1 : 0))
  for (let i = from + 1; i < to; i++) {
    const [first, second] = [order[i - 1] ?? 0, order[i] ?? 0]
    if (idOf(second) !== idOf(first)) continue
    const rows = [first + 1, second + 1].toSorted((a, b) => a - b)
    const reason = `is in the pool twice: its row ${rows[0]} has the id already`
    throw new PoolInvalid({ question_id: idOf(second), row: rows[1] ?? 0, reason })
  }
}
