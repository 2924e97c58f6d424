/** Plain HTTP over undici's connection pools, one an origin: what is behind Effect's own client on Node, without what that adds to every request. */
import { shownUrl } from "@gradus/inference/SampleApi"
import { Wire, type WireAnswer, WireBroken, type WireRequest } from "@gradus/inference/Wire"
import { type Dispatcher, Pool } from "@effect/platform-node/Undici"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

export interface UndiciWireOptions {
  /** Connections to each origin; requests beyond wait for one. */
  readonly connections: number
}

/** Longer answers are cut off as broken: a server that never ends must not fill the memory. */
const MOST_BYTES = 256 << 20
/** How often deadlines are looked at: one timer for all requests, since one each costs a tenth of the rate. */
const SWEEP_MILLIS = 100

const retryAfterOf = (header: string | Array<string> | undefined): string | undefined =>
  Array.isArray(header) ? header[0] : header

/** What broke, by the system's own word where it has one (ECONNREFUSED). */
const reasonOf = (cause: unknown): string => {
  if (!(cause instanceof Error)) return String(cause)
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : ""
  // a host with several addresses fails with one error for each
  const inner = cause instanceof AggregateError ? (cause.errors[0] as unknown) : undefined
  const text = inner instanceof Error ? inner.message : cause.message
  return text === "" ? code : code === "" || text.includes(code) ? text : `${text} (${code})`
}

const makeSweeper = () => {
  const exchanges = new Set<Exchange>()
  let timer: NodeJS.Timeout | undefined
  const sweep = () => {
    const now = performance.now()
    for (const exchange of exchanges) if (exchange.until <= now) exchange.late()
    if (exchanges.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
  return {
    add: (exchange: Exchange) => {
      exchanges.add(exchange)
      timer ??= setInterval(sweep, SWEEP_MILLIS)
    },
    remove: (exchange: Exchange) => exchanges.delete(exchange)
  }
}
type Sweeper = ReturnType<typeof makeSweeper>

/** One request on its way, as undici's dispatcher wants it: methods of a class, since there are thousands a second. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly until: number
  readonly #request: WireRequest
  readonly #resume: (result: Effect.Effect<WireAnswer, WireBroken>) => void
  readonly #sweeper: Sweeper
  readonly #chunks: Array<Buffer> = []
  #size = 0
  #status = 0
  #retryAfter: string | undefined
  #controller: Dispatcher.DispatchController | undefined
  #given = false

  constructor(request: WireRequest, sweeper: Sweeper, resume: (result: Effect.Effect<WireAnswer, WireBroken>) => void) {
    this.until = performance.now() + request.deadlineMillis
    this.#request = request
    this.#resume = resume
    this.#sweeper = sweeper
    sweeper.add(this)
  }

  #settle(result: Effect.Effect<WireAnswer, WireBroken>): void {
    if (this.#given) return
    this.#given = true
    this.#sweeper.remove(this)
    this.#resume(result)
  }
  #break(reason: string): void {
    this.#settle(Effect.fail(new WireBroken({ url: shownUrl(this.#request.url), reason })))
  }
  late(): void {
    this.giveUp(`no answer within ${this.#request.deadlineMillis / 1000} s`)
  }
  giveUp(why: string): void {
    if (this.#given) return
    this.#break(why)
    this.#controller?.abort(new Error(why))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    // given up while it waited for a connection
    if (this.#given) controller.abort(new Error("given up"))
  }
  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | Array<string> | undefined>>
  ): void {
    this.#status = status
    this.#retryAfter = retryAfterOf(headers["retry-after"])
  }
  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    if (this.#size > MOST_BYTES) controller.abort(new Error(`the answer is longer than ${MOST_BYTES} bytes`))
  }
  onResponseEnd(): void {
    const whole = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks, this.#size)
    const text = whole?.toString("utf8") ?? ""
    this.#settle(Effect.succeed({ status: this.#status, retryAfter: this.#retryAfter, text }))
  }
  onResponseError(_controller: Dispatcher.DispatchController, cause: Error): void {
    this.#break(reasonOf(cause))
  }
}

/** Where requests to an address go; addresses are few and are read once. */
interface Route {
  readonly pool: Pool
  readonly path: string
  readonly authorization: Readonly<Record<string, string>> | undefined
}

/** User and password of an address, as a header. */
const basicOf = ({ password, username }: URL): Route["authorization"] => {
  if (username === "") return undefined
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { authorization: `Basic ${Buffer.from(pair).toString("base64")}` }
}

const sendWith = (route: Route, request: WireRequest, sweeper: Sweeper) =>
  Effect.callback<WireAnswer, WireBroken>((resume) => {
    const exchange = new Exchange(request, sweeper, resume)
    const headers =
      route.authorization === undefined ? { ...request.headers } : { ...route.authorization, ...request.headers }
    const { body = null, method } = request
    route.pool.dispatch({ path: route.path, method, headers, body, headersTimeout: 0, bodyTimeout: 0 }, exchange)
    return Effect.sync(() => exchange.giveUp("given up"))
  })

/** Exchanges over pools that live as long as the layer. */
export const layer = (options: UndiciWireOptions): Layer.Layer<Wire> =>
  Layer.effect(
    Wire,
    Effect.gen(function* () {
      const pools = new Map<string, Pool>()
      const routes = new Map<string, Route>()
      const sweeper = makeSweeper()
      yield* Effect.addFinalizer(() =>
        Effect.promise(() => Promise.all([...pools.values()].map((pool) => pool.destroy())))
      )
      const poolOf = (origin: string): Pool => {
        const known = pools.get(origin)
        if (known !== undefined) return known
        const made = new Pool(origin, {
          connections: options.connections,
          pipelining: 1,
          keepAliveTimeout: 60_000,
          connect: { timeout: 10_000 }
        })
        pools.set(origin, made)
        return made
      }
      const routeOf = (text: string): Route => {
        const known = routes.get(text)
        if (known !== undefined) return known
        const url = new URL(text)
        const route = { pool: poolOf(url.origin), path: url.pathname + url.search, authorization: basicOf(url) }
        routes.set(text, route)
        return route
      }
      return { send: (request) => sendWith(routeOf(request.url), request, sweeper) }
    })
  )
