/** A first look at the servers, before anything is written: which can be reached at all, and whether the key is let in. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import { modelsUrl, shownUrl } from "./SampleApi.ts"
import { ServersRefused, ServersSilent } from "./SampleFailure.ts"
import { Wire } from "./Wire.ts"

const ATTEMPTS = 3

/**
 * Asks each server for its models. Any HTTP answer shows that it is there (not every server has the route). Fails when none can be reached, or one
 * refuses the key; returns those that cannot be reached now.
 */
export const probeServers = Effect.fn("ServerProbe.probeServers")(function* (
  endpoints: ReadonlyArray<string>,
  key: Redacted.Redacted | undefined,
  deadlineMillis: number
) {
  const wire = yield* Wire
  const headers = key === undefined ? {} : { authorization: `Bearer ${Redacted.value(key)}` }
  const look = (endpoint: string) =>
    wire.send({ method: "GET", url: modelsUrl(endpoint), headers, deadlineMillis }).pipe(
      Effect.retry({ times: ATTEMPTS - 1, schedule: Schedule.spaced("300 millis") }),
      Effect.result,
      Effect.map((result) => ({ endpoint: shownUrl(endpoint), result }))
    )
  const looked = yield* Effect.forEach(endpoints, look, { concurrency: "unbounded" })
  const missing = looked.flatMap(({ endpoint, result }) =>
    Result.isFailure(result) ? [{ endpoint, reason: result.failure.reason }] : []
  )
  if (missing.length === looked.length) return yield* new ServersSilent({ servers: missing })
  for (const { endpoint, result } of looked) {
    if (Result.isFailure(result) || ![401, 403].includes(result.success.status)) continue
    const { status, text } = result.success
    return yield* new ServersRefused({ url: shownUrl(modelsUrl(endpoint)), status, reason: text.trim().slice(0, 300) })
  }
  return missing
})
