/**
 * Has the store gone back in time? It carries an identity and a number that every promise raises. A program remembers the highest that it saw: a store with
 * another identity was flushed or replaced, one with a lower number is an older copy. Every script of ours begins with this check.
 */
import { type StoreError, StoreWentBack } from "@gradus/domain/StoreError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { randomUUID } from "node:crypto"
import { RedisConnection } from "./IoRedis.ts"
import { KEYS } from "./Keys.ts"

/** Gives the store an identity where it has none, and says where it is. */
const BEGIN = `
redis.call('HSETNX', KEYS[1], 'id', ARGV[1])
redis.call('HSETNX', KEYS[1], 'sequence', '0')
return {redis.call('HGET', KEYS[1], 'id'), redis.call('HGET', KEYS[1], 'sequence')}
`

const PRELUDE = `
local id = redis.call('HGET', KEYS[1], 'id') or ''
local sequence = tonumber(redis.call('HGET', KEYS[1], 'sequence') or '0')
local function answer(outcome, ...) return {outcome, tostring(sequence), ...} end
local function raise() sequence = redis.call('HINCRBY', KEYS[1], 'sequence', 1) end
if id ~= ARGV[1] or sequence < tonumber(ARGV[2]) then return answer('went_back', id) end
`

/**
 * Writes a script of ours: the check, then the body. The body finds its keys from KEYS[2] and its arguments from ARGV[3] on, calls `raise()` when it
 * promises something, and returns `answer(outcome, …strings)`.
 */
export const checked = (body: string): string => `${PRELUDE}${body}`

const CHECK = checked("return answer('ok')")

const Begun = Schema.Tuple([Schema.String, Schema.FiniteFromString])
const Answer = Schema.TupleWithRest(Schema.Tuple([Schema.String, Schema.FiniteFromString]), [Schema.String])

export interface GenerationPoint {
  readonly id: string
  readonly sequence: number
}

/** What a script said: its outcome and its strings. */
export interface Said {
  readonly outcome: string
  readonly values: ReadonlyArray<string>
}

export class Generation extends Context.Service<
  Generation,
  {
    /** How far the store was when we last looked. */
    readonly known: () => GenerationPoint
    /** Runs a script made by `checked`. It may be run twice where a connection is lost. */
    readonly script: (
      operation: string,
      lua: string,
      keys: ReadonlyArray<string>,
      args: ReadonlyArray<string>
    ) => Effect.Effect<Said, StoreError>
    /** Fails when the store is not the one that we knew. */
    readonly check: Effect.Effect<void, StoreError>
  }
>()("@gradus/store/Generation") {}

const whatHappened = (found: string, id: string, at: number, known: number): string => {
  if (found === "") return "it is empty (flushed, or another server)"
  if (found !== id) return "it has another identity (flushed and begun anew, or another server)"
  return `it is at ${at} and was at ${known} (an older copy)`
}

const make = Effect.gen(function* () {
  const { run, store } = yield* RedisConnection
  const begun = yield* run("the start check", (client) => client.eval(BEGIN, 1, KEYS.generation, randomUUID()))
  const [id, first] = yield* Effect.orDie(Schema.decodeUnknownEffect(Begun)(begun))
  let sequence = first
  const script = Effect.fn("Generation.script")(function* (
    operation: string,
    lua: string,
    keys: ReadonlyArray<string>,
    args: ReadonlyArray<string>
  ) {
    const known = sequence
    const raw = yield* run(operation, (client) =>
      client.eval(lua, keys.length + 1, KEYS.generation, ...keys, id, String(known), ...args)
    )
    const [outcome, at, ...values] = yield* Effect.orDie(Schema.decodeUnknownEffect(Answer)(raw))
    if (outcome === "went_back")
      return yield* new StoreWentBack({ store, reason: whatHappened(values[0] ?? "", id, at, known) })
    sequence = Math.max(sequence, at)
    return { outcome, values } satisfies Said
  })
  return Generation.of({
    known: () => ({ id, sequence }),
    script,
    check: Effect.asVoid(script("the generation check", CHECK, [], []))
  })
})

export const layer: Layer.Layer<Generation, StoreError, RedisConnection> = Layer.effect(Generation, make)
