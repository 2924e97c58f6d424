/** What a pool of servers works off, and how. */
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { SampledTexts, SampleSpec } from "./SampleApi.ts"

/** Samples of one question that one request may ask for. */
export interface SampleTask {
  /** Place of the question in its list. */
  readonly question: number
  readonly text: string
  /** Which samples: any distinct numbers from 0; consecutive ones where seeds are sent. */
  readonly ks: ReadonlyArray<number>
  /** Seed of the first of them; absent: none is sent. */
  readonly seed?: number | undefined
}

/** The list that is worked off. Its methods are synchronous: between two of them nobody else takes from it. */
export interface SampleTasks {
  /** Takes samples of one question, at most `limit`; undefined while there is nothing to ask. */
  readonly take: (limit: number) => SampleTask | undefined
  /** Puts samples back that did not come. */
  readonly giveBack: (question: number, ks: ReadonlyArray<number>) => void
  /** How many tasks can be taken now, at least. */
  readonly available: () => number
  /** Whether everything is settled. */
  readonly finished: () => boolean
}

export interface SamplePoolOptions {
  readonly endpoints: ReadonlyArray<string>
  readonly key: Redacted.Redacted | undefined
  readonly spec: SampleSpec
  /** Requests in flight at each server. */
  readonly concurrency: number
  /** Samples that one request asks for at most. */
  readonly choices: number
  readonly deadlineMillis: number
  /** How often a sample is asked for at most, outages of servers not counted. */
  readonly attempts: number
  /** So long all servers may fail before the whole does. */
  readonly patienceMillis: number
  /** Takes what came: sample `task.ks[i]` is text i. It may wait, and holds its server's place while it does. */
  readonly answered: (task: SampleTask, texts: SampledTexts, server: string) => Effect.Effect<void>
  /** Takes samples that cannot be had. */
  readonly failed: (task: SampleTask, reason: string, server: string) => Effect.Effect<void>
}
