/** The judges' money on Redis. Each addition has a name of its own, so that one that is sent again after a lost connection counts once. */
import { JudgeLedger, JudgeLedgerFailed } from "@gradus/domain/JudgeLedger"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { randomUUID } from "node:crypto"
import { checked, Generation } from "./Generation.ts"
import { KEYS } from "./Keys.ts"

/** Longer than any connection is tried for. */
const REMEMBERED_SECONDS = "3600"

// KEYS[2] sums, KEYS[3] this addition; ARGV[3] account, ARGV[4] amount, ARGV[5] seconds
const ADD = checked(`
local known = redis.call('GET', KEYS[3])
if known then return answer('sum', known) end
raise()
local sum = redis.call('HINCRBYFLOAT', KEYS[2], ARGV[3], ARGV[4])
redis.call('SET', KEYS[3], sum, 'EX', ARGV[5])
return answer('sum', sum)
`)

/** Keeps sums in one hash. A store that went back in time, or does not answer, pays for nothing. */
export const layer: Layer.Layer<JudgeLedger, never, Generation> = Layer.effect(
  JudgeLedger,
  Effect.map(Generation, ({ script }) => ({
    add: (account, amount) =>
      script(
        "adding to a judge's account",
        ADD,
        [KEYS.judgeSums, KEYS.judgeAddition(randomUUID())],
        [account, String(amount), REMEMBERED_SECONDS]
      ).pipe(
        Effect.map(({ values }) => Number(values[0])),
        Effect.mapError(({ message }) => new JudgeLedgerFailed({ reason: message }))
      )
  }))
)
