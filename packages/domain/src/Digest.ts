/** Identity of values and bytes: RFC 8785 canonical JSON and SHA-256. */
import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js"
import canonicalize from "canonicalize"
import * as Schema from "effect/Schema"

/** A SHA-256 in lower-case hexadecimal. */
export const Digest = Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/)).pipe(Schema.brand("Digest"))
export type Digest = typeof Digest.Type

/** Writes a JSON value in its one canonical form (RFC 8785: sorted keys, shortest numbers, no white space). */
export const canonicalJson = (value: unknown): string => {
  const text = canonicalize(value)
  if (text === undefined) throw new TypeError("a value without a JSON form has no identity")
  return text
}

/** Hashes bytes. */
export const ofBytes = (bytes: Uint8Array): Digest => bytesToHex(sha256(bytes)) as Digest

/** Hashes bytes that come one part after the other: a file that memory need not hold. */
export const hasher = (): { readonly update: (bytes: Uint8Array) => void; readonly digest: () => Digest } => {
  const hash = sha256.create()
  return { update: (bytes) => void hash.update(bytes), digest: () => bytesToHex(hash.digest()) as Digest }
}

/** Hashes a text as UTF-8. Throws a TypeError for half of a surrogate pair: UTF-8 would write every one of them as the same character. */
export const ofText = (text: string): Digest => {
  if (!text.isWellFormed()) throw new TypeError("a text with half of a surrogate pair has no identity")
  return ofBytes(utf8ToBytes(text))
}

/** Hashes a JSON value by its canonical form, so that neither key order nor layout changes the result. */
export const ofJson = (value: unknown): Digest => ofText(canonicalJson(value))

/** The part of a digest that names things for people. */
export const short = (digest: Digest): string => digest.slice(0, 10)
