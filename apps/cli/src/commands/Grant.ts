/** `gradus judge grant DIR`: adds to the judge's budget of a run (and of those that share its account), so that a run that stopped for want of money goes on. */
import { JudgeLedger } from "@gradus/domain/JudgeLedger"
import { readJson } from "@gradus/experiment/AtomicFile"
import { ResolvedFile } from "@gradus/experiment/ReadRun"
import { layout } from "@gradus/experiment/RunDirectory"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import { Engines } from "../Engines.ts"
import { print, printJson } from "../Output.ts"
import { judgePlace } from "../RunPlace.ts"
import { redisAddress } from "../StoreAddress.ts"
import { UsageError } from "../UsageError.ts"

export interface GrantOptions {
  readonly directory: string
  readonly amount: number
  /** Address of the Redis where the judges of all hosts count; undefined: the environment's, or none. */
  readonly redis: string | undefined
  readonly json: boolean
}

/** Puts money on the account, and says what is left of the budget. */
export const grant = Effect.fn("gradus.judge.grant")(function* (options: GrantOptions) {
  const path = yield* Path.Path
  const root = path.resolve(options.directory)
  const { manifest } = yield* readJson(ResolvedFile, (yield* layout(root)).resolved)
  const { judge } = manifest.rewards
  if (judge?.budget === undefined) return yield* new UsageError({ reason: `${root}: its judge has no budget` })
  const place = yield* judgePlace(root, yield* redisAddress(options.redis), judge)
  const { ledger } = yield* Engines
  const spent = yield* JudgeLedger.use(({ add }) => add(place.account, -options.amount)).pipe(
    Effect.provide(ledger(place))
  )
  const result = { account: place.account, left: judge.budget - spent }
  yield* options.json
    ? printJson(result)
    : print(`${options.amount} granted to ${place.account}: ${result.left.toPrecision(6)} left`)
})
