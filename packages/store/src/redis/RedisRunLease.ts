/**
 * The run lease on Redis, for any number of hosts: a key that expires and is renewed, and a fencing number that only grows. It is named by the run, not by
 * its path, so that hosts may mount the runs elsewhere. A holder that slept past its lease goes on only if nobody took the number after it.
 */
import {
  type EarlierOwner,
  type OwnerRecord,
  RunLease,
  RunLeaseFailed,
  RunLeaseLost,
  RunOwned
} from "@gradus/domain/RunLease"
import { type StoreError, StoreWentBack } from "@gradus/domain/StoreError"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { randomUUID } from "node:crypto"
import { basename } from "node:path"
import { isLocked } from "../EmbeddedRunLease.ts"
import { processName } from "../ProcessName.ts"
import { checked, Generation, type GenerationPoint } from "./Generation.ts"
import { RedisConnection } from "./IoRedis.ts"
import { KEYS } from "./Keys.ts"

// KEYS[2] number, KEYS[3] held; ARGV[3] token, ARGV[4] owner, ARGV[5] floor, ARGV[6] milliseconds
const ACQUIRE = checked(`
local held = redis.call('GET', KEYS[3])
if held then
  local cut = string.find(held, ' ', 1, true)
  -- our own request, sent again after the connection was lost
  if string.sub(held, 1, cut - 1) == ARGV[3] then return answer('held', redis.call('HGET', KEYS[2], 'number')) end
  return answer('owned', string.sub(held, cut + 1))
end
local number = math.max(tonumber(redis.call('HGET', KEYS[2], 'number') or '0'), tonumber(ARGV[5])) + 1
raise()
redis.call('HSET', KEYS[2], 'number', string.format('%.0f', number))
redis.call('SET', KEYS[3], ARGV[3] .. ' ' .. ARGV[4], 'PX', ARGV[6])
return answer('held', string.format('%.0f', number))
`)

// ARGV[3] token, ARGV[4] owner, ARGV[5] our number, ARGV[6] milliseconds. It only prolongs, so it works on a server without memory.
const RENEW = checked(`
local mine = ARGV[3] .. ' ' .. ARGV[4]
local held = redis.call('GET', KEYS[3])
if held and held ~= mine then return answer('lost') end
if redis.call('HGET', KEYS[2], 'number') ~= ARGV[5] then return answer('lost') end
if held then redis.call('PEXPIRE', KEYS[3], ARGV[6])
else redis.call('SET', KEYS[3], mine, 'PX', ARGV[6]) end
return answer('held')
`)

// ARGV[3] token, ARGV[4] owner
const RELEASE = checked(`
if redis.call('GET', KEYS[3]) == ARGV[3] .. ' ' .. ARGV[4] then redis.call('DEL', KEYS[3]) end
return answer('released')
`)

export interface RedisLeaseOptions {
  /** How long a lease holds that is not renewed. Default 15 s; renewed three times in that. */
  readonly ttl?: Duration.Input | undefined
  /** How long a holder waits for a Redis that does not answer, before it gives up its run. Default 60 s. */
  readonly patience?: Duration.Input | undefined
}

/** What no waiting changes. */
const isFinal = (error: RunLeaseLost | StoreError): boolean =>
  error._tag === "RunLeaseLost" || error._tag === "StoreWentBack" || error._tag === "StoreFailed"

/**
 * Refuses a store that cannot speak for the last owner: one that is behind what it saw, and any other than the one that it took the run from. A store is known
 * by its identity, whatever its address: one server has several, and another server may stand at the same.
 */
const checkEarlier = (
  directory: string,
  store: string,
  known: GenerationPoint,
  { record }: EarlierOwner
): Effect.Effect<void, RunOwned | StoreWentBack> => {
  // a lock of this machine is looked at itself
  if (record === undefined || record.store === "local") return Effect.void
  const { generation, owner } = record
  if (generation?.id === known.id) {
    if (generation.sequence <= known.sequence) return Effect.void
    const reason = `it is at ${known.sequence} and was at ${generation.sequence} when ${owner} took this run (an older copy)`
    return Effect.fail(new StoreWentBack({ store, reason }))
  }
  if (record.store === store)
    return Effect.fail(new StoreWentBack({ store, reason: `it is not the one that ${owner} took this run from` }))
  const elsewhere = `${owner} through ${record.store}, which is another Redis than ${store}; if it is gone for good, see docs/store.md`
  return Effect.fail(new RunOwned({ directory, owner: elsewhere }))
}

const make = Effect.fnUntraced(function* (options: RedisLeaseOptions) {
  const { store } = yield* RedisConnection
  const generation = yield* Generation
  const ttl = Duration.fromInputUnsafe(options.ttl ?? "15 seconds")
  const patience = Duration.fromInputUnsafe(options.patience ?? "60 seconds")
  const millis = String(Duration.toMillis(ttl))

  const take = Effect.fnUntraced(function* (directory: string, earlier: EarlierOwner, token: string) {
    // others have raised the number since we last looked
    if (earlier.record?.generation !== undefined) yield* generation.check
    yield* checkEarlier(directory, store, generation.known(), earlier)
    const locked = yield* Effect.try({
      try: () => isLocked(directory),
      catch: (cause) =>
        new RunLeaseFailed({ directory, reason: cause instanceof Error ? cause.message : String(cause) })
    })
    if (locked) return yield* new RunOwned({ directory, owner: "a process of this machine, without Redis" })
    const run = basename(directory)
    const args = [token, processName, String(earlier.number), millis]
    const said = yield* generation.script("taking a lease", ACQUIRE, [KEYS.lease(run), KEYS.held(run)], args)
    if (said.outcome === "owned") return yield* new RunOwned({ directory, owner: said.values[0] ?? "unknown" })
    return Number(said.values[0])
  })

  return RunLease.of({
    acquire: Effect.fn("RedisRunLease.acquire")(function* (directory, earlier) {
      const run = basename(directory)
      const keys = [KEYS.lease(run), KEYS.held(run)]
      const token = randomUUID()
      const giveBack = Effect.ignore(generation.script("giving a lease back", RELEASE, keys, [token, processName]))
      // a request that was given up at its deadline may still be sent, or be on its way: this one goes behind it, and nobody waits for it
      const number = yield* Effect.acquireRelease(
        Effect.onError(take(directory, earlier, token), () => Effect.forkDetach(giveBack, { startImmediately: true })),
        () => giveBack
      )
      const lost = yield* Deferred.make<never, RunLeaseLost | StoreError>()
      const once = Effect.gen(function* () {
        const args = [token, processName, String(number), millis]
        const { outcome } = yield* generation.script("keeping a lease", RENEW, keys, args)
        if (outcome === "lost") return yield* new RunLeaseLost({ directory, number })
      }).pipe(Effect.tapError((error) => (isFinal(error) ? Deferred.fail(lost, error) : Effect.void)))
      const verify = once.pipe(
        Effect.retry({
          schedule: Schedule.spaced("200 millis").pipe(Schedule.upTo({ duration: patience })),
          while: (error) => !isFinal(error)
        })
      )
      yield* Effect.ignore(once).pipe(Effect.delay(Duration.times(ttl, 1 / 3)), Effect.forever, Effect.forkScoped)
      const record: OwnerRecord = { format: 1, number, store, owner: processName, generation: generation.known() }
      return { record, verify, lost: Deferred.await(lost) }
    })
  })
})

/** Grants leases of run directories to processes of any host. */
export const layer = (options: RedisLeaseOptions = {}): Layer.Layer<RunLease, never, RedisConnection | Generation> =>
  Layer.effect(RunLease, make(options))
