/** An update read back from the run directory: the very bytes that were, or would have been, sent. */
import { ofBytes } from "@gradus/domain/Digest"
import { decodeUpdate, type EncodedUpdate } from "@gradus/trainer-client/UpdateCodec"
import * as Effect from "effect/Effect"
import { readFile, RunFileFailed } from "./AtomicFile.ts"

/** Reads an update and refuses bytes that differ from what the journal says. */
export const readUpdate = Effect.fn("StoredUpdate.read")(function* (file: string, digest: string) {
  const bytes = yield* readFile(file)
  const found = ofBytes(bytes)
  if (found !== digest)
    return yield* new RunFileFailed({
      file,
      operation: "read",
      reason: `its digest is ${found}, the journal says ${digest}`
    })
  const { header } = yield* decodeUpdate(bytes)
  const update: EncodedUpdate = { update: header.update, header, bytes, digest: found }
  return update
})
