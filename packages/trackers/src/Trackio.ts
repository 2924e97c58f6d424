/** Trackio over `POST /api/bulk_log`: a list of entries, each with an identity. */
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { post } from "./Exchange.ts"
import { type Spelling, spelt } from "./Names.ts"
import { type TrackedRun, type Tracker, TrackerFailed } from "./Tracker.ts"

export interface TrackioOptions {
  readonly url: string
  readonly project: string
  readonly token: Redacted.Redacted | undefined
  readonly names: Spelling
}

/** Makes the tracker. */
export const trackio = Effect.fn("Trackio.make")(function* (options: TrackioOptions) {
  const client = yield* HttpClient.HttpClient
  const call = post(client, {
    tracker: "trackio",
    url: options.url,
    token: options.token,
    // a server of one's own asks for its write token in this header, a Space for the bearer's
    tokenHeader: "x-trackio-write-token"
  })
  let tracked: TrackedRun | undefined
  const tracker: Tracker = {
    name: "trackio",
    begin: (run) => Effect.sync(() => (tracked = run)),
    log: Effect.fnUntraced(function* (rows) {
      const answer = yield* call(
        "/api/bulk_log",
        {
          logs: rows.map((row, i) => ({
            project: options.project,
            run: tracked?.run,
            run_id: tracked?.run,
            metrics: Object.fromEntries(spelt(row, options.names)),
            step: row.step,
            // a row that arrives twice is one row
            log_id: `${tracked?.run}/${row.stage}/${row.step}`,
            config: i === 0 ? tracked?.settings : null
          })),
          hf_token: null
        },
        Schema.Unknown
      )
      if (answer === undefined)
        return yield* new TrackerFailed({ tracker: "trackio", url: options.url, reason: "it has no /api/bulk_log" })
    }),
    end: Effect.void
  }
  return tracker
})
