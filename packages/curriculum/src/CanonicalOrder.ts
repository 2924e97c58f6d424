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
 * Lists the indices 0 .. length - 1 in the canonical order of their ids.
 * Throws `PoolInvalid`, which names an id that is found twice or empty and its row.
 */
export const canonicalOrder = (length: number, idAt: (index: number) => string): Int32Array => {
  const indexBits = Math.max(1, Math.ceil(Math.log2(length + 1)))
  const room = 2 ** indexBits
  const packed = new Float64Array(length)
  // The hash keeps the bits of a double that the index leaves, so that sorting the packed numbers sorts both.
  for (let i = 0; i < length; i++) {
    const id = idAt(i)
    if (id === "") throw new PoolInvalid({ question_id: '""', row: i + 1, reason: "has an empty id" })
    packed[i] = Math.floor(hash(id) / room) * room + i
  }
  packed.sort()
  // The order is written over the numbers that have been read: at ten million ids another array is another collection of all garbage.
  const order = new Int32Array(packed.buffer, 0, length)
  let runFrom = 0
  let runHash = NaN
  for (let i = 0; i < length; i++) {
    const value = packed[i] ?? 0
    const own = Math.floor(value / room)
    order[i] = value - own * room
    if (own === runHash) continue
    if (i - runFrom > 1) sortRun(order, idAt, runFrom, i)
    runFrom = i
    runHash = own
  }
  if (length - runFrom > 1) sortRun(order, idAt, runFrom, length)
  return order
}

/** Sorts a run of equal hashes by id. It lies before what is still to be read. */
const sortRun = (order: Int32Array, idAt: (index: number) => string, from: number, to: number): void => {
  order.subarray(from, to).sort((x, y) => (idAt(x) < idAt(y) ? -1 : idAt(x) > idAt(y) ? 1 : 0))
  for (let i = from + 1; i < to; i++) {
    const [first, second] = [order[i - 1] ?? 0, order[i] ?? 0]
    if (idAt(second) !== idAt(first)) continue
    const rows = [first + 1, second + 1].toSorted((a, b) => a - b)
    const reason = `is in the pool twice: its row ${rows[0]} has the id already`
    throw new PoolInvalid({ question_id: idAt(second), row: rows[1] ?? 0, reason })
  }
}
