/** What becomes of a task after its request: taken, put back into the list, or given up on; and when a whole pool is given up on. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Servers from "./PoolServer.ts"
import type { PoolServer } from "./PoolServer.ts"
import { retryAfterMillis } from "./RetryAfter.ts"
import { modelsUrl, type SampledTexts, shownUrl } from "./SampleApi.ts"
import { ServersRefused, ServersSilent } from "./SampleFailure.ts"
import type { SamplePoolOptions, SampleTask, SampleTasks } from "./SampleTasks.ts"
import type { Wire, WireAnswer } from "./Wire.ts"

interface Refusal {
  readonly task: SampleTask
  readonly reason: string
  readonly server: PoolServer
}

/** A pool at work. Mutable: its places share it, and between two effects nobody else changes it. */
export interface Pool {
  readonly tasks: SampleTasks
  readonly options: SamplePoolOptions
  readonly servers: ReadonlyArray<PoolServer>
  readonly wire: Wire["Service"]
  readonly now: () => number
  readonly headers: Readonly<Record<string, string>>
  /** Attempts at samples, by the task that asked for them. */
  readonly attempts: Map<string, number>
  /** Places that wait for something to ask. */
  readonly idle: Set<() => void>
  answers: number
  /** Requests that were refused before any was answered. */
  refusals: ReadonlyArray<Refusal>
}

const REFUSED = new Set([401, 403, 404])
const OUTAGE = new Set([408, 425, 429])
/** Without any success before, so many refused requests mean that all will be. */
const REFUSALS = 8
/** So many failures in a row are an outage though the server shows itself. */
const FAILURES_IN_A_ROW = 20
const LOOK_DEADLINE_MILLIS = 5000
/** Milliseconds that a server is left alone that is too busy and does not say for how long. */
const BUSY_MILLIS = 1000

const firstLine = (text: string): string => text.trim().replaceAll(/\s+/g, " ").slice(0, 300)

/** Counts an attempt at a task's samples; says whether it was the last. */
const spent = ({ attempts, options }: Pool, task: SampleTask): boolean => {
  const key = `${task.question}/${task.ks.join()}`
  const count = (attempts.get(key) ?? 0) + 1
  attempts.set(key, count)
  return count >= options.attempts
}

/** Whether a server works though a request has failed: it has answered others meanwhile, or it answers a look. */
const isUp = Effect.fnUntraced(function* ({ headers, servers, wire }: Pool, server: PoolServer, sent: number) {
  if (server.lastAnswer >= sent) return true
  // where another works, let that one try
  if (servers.some((other) => other !== server && other.silentSince === null && other.lastAnswer >= 0)) return false
  // one look for each circuit, not one for each of the many that fail together
  if (sent < server.health.openedAt) return false
  const url = modelsUrl(server.given)
  const look = yield* Effect.result(wire.send({ method: "GET", url, headers, deadlineMillis: LOOK_DEADLINE_MILLIS }))
  return Result.isSuccess(look) && look.success.status < 500
})

const giveUp = ({ options }: Pool, { reason, server, task }: Refusal): Effect.Effect<void> =>
  options.failed(task, reason, server.endpoint)

/** Fails when every server has only failed for too long, or asks to be left alone for too long. */
const checkSilence = ({ now, options, servers }: Pool): Effect.Effect<void, ServersSilent> =>
  servers.every((server) => Servers.isSilent(server, options.patienceMillis, now()))
    ? Effect.fail(new ServersSilent({ servers: servers.map(({ endpoint, reason }) => ({ endpoint, reason })) }))
    : Effect.void

/**
 * An attempt that failed counts where the server works: then it is the question's fault. An outage costs no attempt. A server that shows itself and
 * answers no question is not waited for without end either.
 */
export const outage = Effect.fnUntraced(function* (
  pool: Pool,
  server: PoolServer,
  task: SampleTask,
  sent: number,
  reason: string
) {
  const up = yield* isUp(pool, server, sent)
  Servers.broke(server, reason, sent, pool.now())
  if (up && spent(pool, task)) return yield* giveUp(pool, { task, reason, server })
  pool.tasks.giveBack(task.question, task.ks)
  if (!up || server.failuresInARow >= FAILURES_IN_A_ROW) yield* checkSilence(pool)
})

const busy = Effect.fnUntraced(function* (pool: Pool, server: PoolServer, task: SampleTask, answer: WireAnswer) {
  const asked = retryAfterMillis(answer.retryAfter, pool.now())
  Servers.hold(server, `status ${answer.status}: ${firstLine(answer.text)}`, asked ?? BUSY_MILLIS, pool.now())
  pool.tasks.giveBack(task.question, task.ks)
  yield* checkSilence(pool)
})

/** A request that this server dislikes: another form may help; else it is the question's fault, unless all of them are refused. */
const disliked = Effect.fnUntraced(function* (pool: Pool, server: PoolServer, task: SampleTask, answer: WireAnswer) {
  const { options, servers, tasks } = pool
  const reason = `status ${answer.status}: ${firstLine(answer.text)}`
  if (Servers.learned(server, task.ks.length, options.choices, reason)) return tasks.giveBack(task.question, task.ks)
  if (pool.answers > 0) return yield* giveUp(pool, { task, reason, server })
  pool.refusals = [...pool.refusals, { task, reason, server }]
  const alone = tasks.available() === 0 && servers.every(({ inFlight }) => inFlight === 0)
  if (pool.refusals.length >= REFUSALS || alone)
    return yield* new ServersRefused({
      url: shownUrl(server.url),
      status: answer.status,
      reason: firstLine(answer.text)
    })
})

/** Any status but a success. */
export const refused = (
  pool: Pool,
  server: PoolServer,
  task: SampleTask,
  answer: WireAnswer,
  sent: number
): Effect.Effect<void, ServersSilent | ServersRefused> => {
  const { status } = answer
  const reason = firstLine(answer.text)
  // a route that was there and is not is a server that starts again
  const gone = status === 404 && server.health.answers > 0
  if (REFUSED.has(status) && !gone)
    return Effect.fail(new ServersRefused({ url: shownUrl(server.url), status, reason }))
  if (status === 429 || answer.retryAfter !== undefined) return busy(pool, server, task, answer)
  if (status < 500 && !OUTAGE.has(status) && !gone) return disliked(pool, server, task, answer)
  return outage(pool, server, task, sent, `status ${status}: ${reason}`)
}

/** Those refusals that turned out to be the questions' own fault, now that another question was answered. */
const giveUpRefused = (pool: Pool): Effect.Effect<void> =>
  Effect.suspend(() => {
    const waiting = pool.refusals
    pool.refusals = []
    return Effect.forEach(waiting, (refusal) => giveUp(pool, refusal), { discard: true })
  })

/** Passes on what came; samples that are missing go back to the list. */
export const took = (
  pool: Pool,
  server: PoolServer,
  task: SampleTask,
  texts: SampledTexts,
  sent: number
): Effect.Effect<void> => {
  Servers.took(server, task.ks.length, texts.texts.length, sent, pool.now())
  pool.answers++
  if (texts.texts.length < task.ks.length) pool.tasks.giveBack(task.question, task.ks.slice(texts.texts.length))
  const answered = pool.options.answered(task, texts, server.endpoint)
  return pool.refusals.length === 0 ? answered : Effect.andThen(answered, giveUpRefused(pool))
}
