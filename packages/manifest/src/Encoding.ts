/** Bytes of a manifest file to text: UTF-8 only, with or without a byte order mark. */
import * as Result from "effect/Result"
import type { ManifestIssue } from "./ManifestInvalid.ts"
import { issueAt } from "./internal/IssueAt.ts"

const utf16 = (bytes: Uint8Array): boolean =>
  (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)

/** Decodes UTF-8, or says on which line it stops to be UTF-8. A line feed is never part of another character, so lines can be tried one by one. */
export const decode = (file: string, bytes: Uint8Array): Result.Result<string, ManifestIssue> => {
  const refuse = (line: number, message: string) =>
    Result.fail(issueAt({ source: { kind: "file", file }, line, col: 1 }, [], message))
  if (utf16(bytes)) return refuse(1, "is UTF-16; save it as UTF-8")
  const text = decodeStrictly(bytes)
  if (text !== undefined) return Result.succeed(text)
  let line = 1
  for (let start = 0; ; line++) {
    const newline = bytes.indexOf(0x0a, start)
    if (newline < 0 || decodeStrictly(bytes.subarray(start, newline)) === undefined) break
    start = newline + 1
  }
  return refuse(line, "is not UTF-8")
}

const decodeStrictly = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
