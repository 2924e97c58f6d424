/**
 * The service `Redis` of effect/persistence on ioredis. Each call has a deadline; a server that is out of memory is asked again until then; what fails
 * is a StoreError in the cause. After a lost connection commands are sent again, so every script must bear being run twice.
 */
import { StoreDeadline, StoreFailed, StoreFull, type StoreError, StoreUnreachable } from "@gradus/domain/StoreError"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redis from "effect/persistence/Redis"
import * as Schedule from "effect/Schedule"
import { Redis as Client, type RedisOptions } from "ioredis"
import { within } from "../Deadline.ts"
import { shownAddress } from "./Address.ts"

export interface IoRedisOptions {
  /** `redis://[user:password@]host:port/database`, or `rediss:` for TLS. */
  readonly url: string
  /** How long one call may take. Default 5 s. */
  readonly deadline?: Duration.Input | undefined
}

/** The connection that all parts of a store share. */
export class RedisConnection extends Context.Service<
  RedisConnection,
  {
    /** The address without its password. */
    readonly store: string
    readonly deadline: Duration.Duration
    readonly client: Client
    readonly run: <A>(operation: string, call: (client: Client) => Promise<A>) => Effect.Effect<A, StoreError>
  }
>()("@gradus/store/RedisConnection") {}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/** The server has no memory left for this write. 6.2 wraps the reply of a script's command in a sentence of its own. */
const isFull = (cause: unknown): boolean => /(^|-)OOM command not allowed/.test(messageOf(cause))

const NETWORK = /ECONN|ENOTFOUND|EHOSTUNREACH|ETIMEDOUT|EPIPE|EAI_AGAIN|Connection is closed|max retries/

class OutOfMemory {
  readonly _tag = "OutOfMemory"
}

/** Asks again with growing pauses while the server is out of memory. */
const pauses = Schedule.min([Schedule.exponential("20 millis", 1.5), Schedule.spaced("500 millis")])

const guarded = (store: string, deadline: Duration.Duration) => {
  const millis = Duration.toMillis(deadline)
  return <A>(operation: string, call: () => Promise<A>): Effect.Effect<A, StoreError> => {
    const once = Effect.tryPromise({
      try: call,
      catch: (cause) => {
        if (isFull(cause)) return new OutOfMemory()
        const reason = messageOf(cause)
        return NETWORK.test(reason)
          ? new StoreUnreachable({ store, operation, reason })
          : new StoreFailed({ store, operation, reason })
      }
    })
    return Effect.gen(function* () {
      const started = yield* Clock.currentTimeMillis
      let full = false
      const asking = once.pipe(
        Effect.tapError((error) => Effect.sync(() => (full = error._tag === "OutOfMemory"))),
        Effect.retry({ schedule: pauses, while: (error) => error._tag === "OutOfMemory" }),
        Effect.catchTag("OutOfMemory", () => Effect.fail(new StoreFull({ store, operation, millis })))
      )
      const late = Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.fail<StoreError>(
          full
            ? new StoreFull({ store, operation, millis: Math.round(now - started) })
            : new StoreDeadline({ store, operation, millis })
        )
      )
      return yield* within(asking, deadline, () => late)
    })
  }
}

/** Connects once and fails with the real reason: `connect()` itself says no more than that the connection is closed. */
const connect = async (url: string, deadline: number, options: RedisOptions): Promise<Client> => {
  // protocol 2: in the newer one `call("XREADGROUP", …)` answers in another shape than effect/persistence reads
  const all = { protocol: 2, connectTimeout: deadline, ...options, lazyConnect: true } as RedisOptions & {
    // two of its own overloads clash under exactOptionalPropertyTypes
    replyMapping?: "legacy"
  }
  const client = new Client(url, all)
  let last: unknown
  const keep = (cause: unknown): void => {
    last = cause
  }
  client.on("error", keep)
  try {
    await client.connect()
  } catch (cause) {
    client.disconnect()
    throw last ?? cause
  }
  return client
}

const sendWith =
  (client: Client, run: ReturnType<typeof guarded>): Redis.Connection["send"] =>
  <A = unknown>(command: string, ...args: ReadonlyArray<string>) =>
    run(command, () => client.call(command, [...args]) as Promise<A>).pipe(
      Effect.mapError((cause) => new Redis.RedisError({ cause }))
    )

/** A connection of one's own for a command that waits at the server: it knows no deadline but the command's own, and ends with its connection. */
const waiting =
  (client: Client): Redis.Connection["send"] =>
  <A = unknown>(command: string, ...args: ReadonlyArray<string>) =>
    Effect.tryPromise({
      try: () => client.call(command, [...args]) as Promise<A>,
      catch: (cause) => new Redis.RedisError({ cause })
    })

const RECONNECT_AT_MOST_MILLIS = 1000

const make = Effect.fnUntraced(function* ({ deadline: input, url }: IoRedisOptions) {
  const deadline = Duration.fromInputUnsafe(input ?? "5 seconds")
  const millis = Duration.toMillis(deadline)
  const store = shownAddress(url)
  const run = guarded(store, deadline)
  let ready = false
  const client = yield* Effect.acquireRelease(
    run("connecting", () =>
      connect(url, millis, {
        enableAutoPipelining: true,
        // no limit of tries: the deadline of the call is what counts
        maxRetriesPerRequest: null,
        retryStrategy: (times) => (ready ? Math.min(20 * 2 ** times, RECONNECT_AT_MOST_MILLIS) : null)
      })
    ),
    (client) => Effect.sync(() => client.disconnect())
  )
  ready = true
  const redisError = Effect.mapError((cause: StoreError) => new Redis.RedisError({ cause }))
  const redis = yield* Redis.make({
    send: sendWith(client, run),
    connect: run("connecting", () =>
      connect(url, millis, { retryStrategy: () => null, maxRetriesPerRequest: null })
    ).pipe(
      redisError,
      Effect.map((own) => ({ send: waiting(own), close: Effect.sync(() => own.disconnect()) }))
    ),
    // its inner effect is the listening that the caller forks
    subscribe: Effect.fnUntraced(function* (channel, onMessage) {
      const ended = yield* Deferred.make<void, Redis.RedisError>()
      const own = yield* Effect.acquireRelease(
        redisError(run("subscribing", () => connect(url, millis, { retryStrategy: () => null }))),
        (own) => Effect.sync(() => own.disconnect())
      )
      const closed = new Redis.RedisError({
        cause: new StoreUnreachable({ store, operation: "subscribing", reason: "the connection closed" })
      })
      own.on("end", () => Deferred.doneUnsafe(ended, Effect.fail(closed)))
      own.on("message", (name, message) => onMessage({ channel: name, message }))
      yield* redisError(run("subscribing", () => own.subscribe(channel)))
      return Deferred.await(ended)
    })
  })
  const connection = RedisConnection.of({
    store,
    deadline,
    client,
    run: (operation, call) => run(operation, () => call(client))
  })
  return Context.make(RedisConnection, connection).pipe(Context.add(Redis.Redis, redis))
})

/** Connects; fails at once where there is no server. */
export const layer = (options: IoRedisOptions): Layer.Layer<RedisConnection | Redis.Redis, StoreError> =>
  Layer.effectContext(make(options))
