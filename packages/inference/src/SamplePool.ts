/**
 * Samples from several equal servers, each kept busy: every server has places of its own that pull from one list of tasks, so a fast server takes
 * more of it. A server that fails or is slow is left out and tried again (ServerHealth); what it was asked goes back to the list (SampleOutcome).
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Servers from "./PoolServer.ts"
import type { PoolServer } from "./PoolServer.ts"
import { readSamples, sampleBody } from "./SampleApi.ts"
import type { ServersRefused, ServersSilent } from "./SampleFailure.ts"
import { outage, type Pool, refused, took } from "./SampleOutcome.ts"
import type { SamplePoolOptions, SampleTask, SampleTasks } from "./SampleTasks.ts"
import { Wire } from "./Wire.ts"

/** Wakes as many places as there are tasks; all of them at the end. */
const wake = ({ idle, tasks }: Pool): void => {
  let count = tasks.finished() ? Infinity : tasks.available()
  for (const resume of idle) {
    if (count-- <= 0) break
    idle.delete(resume)
    resume()
  }
}

const rest = ({ idle }: Pool): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const go = () => resume(Effect.void)
    idle.add(go)
    return Effect.sync(() => idle.delete(go))
  })

// the way of a good answer is kept short: some hundred thousand a minute take it
const ask = (pool: Pool, server: PoolServer, task: SampleTask): Effect.Effect<void, ServersSilent | ServersRefused> => {
  const { deadlineMillis, spec } = pool.options
  const sent = pool.now()
  server.inFlight++
  server.requests++
  const body = sampleBody(spec, task.text, task.ks.length, task.seed, server.limit)
  const request = { method: "POST", url: server.url, headers: pool.headers, body, deadlineMillis } as const
  return Effect.matchEffect(pool.wire.send(request), {
    onFailure: ({ reason }) => {
      server.inFlight--
      return outage(pool, server, task, sent, reason)
    },
    onSuccess: (answer) => {
      server.inFlight--
      if (answer.status < 200 || answer.status >= 300) return refused(pool, server, task, answer, sent)
      const read = readSamples(spec.api, answer.text)
      return Result.isSuccess(read)
        ? took(pool, server, task, read.success, sent)
        : outage(pool, server, task, sent, read.failure)
    }
  })
}

/** One place of a server: asks, again and again, until everything is settled. */
const place = (pool: Pool, server: PoolServer): Effect.Effect<void, ServersSilent | ServersRefused> =>
  Effect.whileLoop({
    while: () => !pool.tasks.finished(),
    body: () => {
      const millis = Servers.pauseOf(server, pool.servers, pool.options.concurrency, pool.now())
      if (millis > 0) return Effect.sleep(millis)
      const task = pool.tasks.take(server.choices)
      return task === undefined ? rest(pool) : ask(pool, server, task)
    },
    step: () => wake(pool)
  })

/** Makes the pool; `run` ends when the list is finished. */
export const make = Effect.fnUntraced(function* (tasks: SampleTasks, options: SamplePoolOptions) {
  const clock = yield* Clock.Clock
  const servers = options.endpoints.map((endpoint) => Servers.makeServer(endpoint, options.spec.api, options.choices))
  const pool: Pool = {
    tasks,
    options,
    servers,
    wire: yield* Wire,
    now: () => clock.currentTimeMillisUnsafe(),
    headers: {
      "content-type": "application/json",
      ...(options.key === undefined ? {} : { authorization: `Bearer ${Redacted.value(options.key)}` })
    },
    attempts: new Map(),
    idle: new Set(),
    answers: 0,
    refusals: []
  }
  // a place of each server by turns: a short list is shared too
  const places = Array.from({ length: options.concurrency }, () => servers).flat()
  return {
    run: Effect.forEach(places, (server) => place(pool, server), { concurrency: "unbounded", discard: true }),
    readings: () => Servers.readingsOf(servers)
  }
})
