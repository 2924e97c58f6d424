/**
 * The seed tree: every random stream is derived by name and index from one root seed, never from the order in which things happen.
 * A stream is root / stage / step / question / sample: adding, removing or reordering others leaves it as it was.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import { utf8ToBytes } from "@noble/hashes/utils.js"
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64"
import { uniformInt } from "pure-rand/distribution/uniformInt"
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus"

/** A node of the tree: 32 bytes that identify the path from the root. */
export interface Seed {
  readonly bytes: Uint8Array
}

/** Makes the root of a tree. */
export const root = (seed: number): Seed => ({ bytes: sha256(utf8ToBytes(`gradus/seed/1/${seed}`)) })

/**
 * Goes down the tree by names and indices. Each part is length-prefixed, so ("a", "b") and ("a/b") differ.
 * Throws a TypeError for half of a surrogate pair: UTF-8 would write every one of them as the same name.
 */
export const child = (seed: Seed, ...path: ReadonlyArray<string | number>): Seed =>
  path.reduce<Seed>((node, part) => {
    const text = typeof part === "number" ? `#${part}` : `${part.length}:${part}`
    if (!text.isWellFormed()) throw new TypeError("a name with half of a surrogate pair names no stream")
    const name = utf8ToBytes(text)
    const joined = new Uint8Array(node.bytes.length + name.length)
    joined.set(node.bytes)
    joined.set(name, node.bytes.length)
    return { bytes: sha256(joined) }
  }, seed)

/** The node as a non-negative integer below 2^31 (for wires whose seeds are plain integers). */
export const toInt = (seed: Seed): number => new DataView(seed.bytes.buffer, seed.bytes.byteOffset).getUint32(0) >>> 1

/** A stream of pseudo-random numbers. Mutable on purpose: make one per use, never share it. */
export interface Stream {
  /** Uniform in [0, 1). */
  readonly next: () => number
  /** Uniform integer in [0, below). */
  readonly below: (bound: number) => number
  /** Puts the items of an array in random order, in place (Fisher-Yates). */
  readonly shuffle: <T extends { length: number; [index: number]: unknown }>(items: T) => T
}

/** Opens the stream of a node: xoroshiro128+, seeded by the node's second 32 bits (the first make `toInt`). */
export const stream = (seed: Seed): Stream => {
  const generator = xoroshiro128plus(new DataView(seed.bytes.buffer, seed.bytes.byteOffset).getInt32(4))
  const below = (bound: number): number => uniformInt(generator, 0, bound - 1)
  return {
    next: () => uniformFloat64(generator),
    below,
    shuffle: (items) => {
      for (let i = items.length - 1; i > 0; i--) {
        const j = below(i + 1)
        const held = items[i]
        items[i] = items[j]
        items[j] = held
      }
      return items
    }
  }
}
