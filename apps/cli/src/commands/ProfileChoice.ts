/** `gradus profile`: of a manifest's questions, or without one of a file's. */
import * as Effect from "effect/Effect"
import { refuseUnless, unused } from "../UnusedFlags.ts"
import { UsageError } from "../UsageError.ts"
import type { ServedOptions } from "./ProfileServed.ts"

/** What holds where a flag is absent: here and not with the flags, so that one that is given and has no effect can be told from a default. */
const defaults = {
  api: "chat",
  concurrency: 64,
  deadline: 600,
  attempts: 4,
  patience: 60,
  id: "id",
  question: "question",
  gold: "answer",
  goldRule: "whole",
  thinking: "off",
  sampleSeed: 0,
  samples: 8,
  temperature: 1,
  maxTokens: 4096,
  passMark: 1,
  credibleLevel: 0.9,
  dropAt: 0.75,
  accuracy: "exact",
  answer: "after_think",
  format: "none"
} as const satisfies Partial<ServedOptions>

/** Options as the command line gives them: what has a default may be absent. */
type Given = {
  readonly [K in keyof ServedOptions]: K extends keyof typeof defaults ? ServedOptions[K] | undefined : ServedOptions[K]
}

export interface ManifestChoice {
  readonly manifest: string | undefined
  readonly set: ReadonlyArray<string>
}

const complete = (given: Given): ServedOptions => {
  const said = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...given, ...defaults, ...Object.fromEntries(said) } as ServedOptions
}

const checkUse = Effect.fnUntraced(function* (given: Given) {
  const { check, id, kind, n, redis, rowIds, sample, sampleSeed, shards } = given
  yield* refuseUnless(check, { kind, n }, "without --check")
  yield* refuseUnless(sample, { sampleSeed }, "without --sample")
  yield* refuseUnless(shards, { redis }, "without --shards")
  yield* refuseUnless(!rowIds, { id }, "with --row-ids")
})

/** Takes the manifest where one is named, which says itself what the other flags say; without one they are all there is. */
export const profileChoice = Effect.fn("gradus.profileChoice")(function* ({
  manifest,
  set,
  ...given
}: Given & ManifestChoice) {
  if (manifest === undefined) {
    if (set.length > 0) return yield* new UsageError({ reason: "-s overrides a manifest, and none is named" })
    yield* checkUse(given)
    const { profileServed } = yield* Effect.promise(() => import("./ProfileServed.ts"))
    return yield* profileServed(complete(given))
  }
  const { json, runs, ...others } = given
  const error = unused(others, "with a manifest, which names its own questions, policy and rules: -s overrides them")
  if (error !== undefined) return yield* error
  const { profile } = yield* Effect.promise(() => import("./Profile.ts"))
  return yield* profile({ manifest, set, runs, json })
})
