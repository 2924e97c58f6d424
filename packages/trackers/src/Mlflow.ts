/** MLflow over its REST interface, version 2.0: one experiment, one MLflow run a run of ours, found again by a tag. */
import type { MetricsRow } from "@gradus/domain/Metrics"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { get, post } from "./Exchange.ts"
import { type Spelling, spelt } from "./Names.ts"
import { type TrackedRun, type Tracker, TrackerFailed } from "./Tracker.ts"

export interface MlflowOptions {
  readonly url: string
  readonly experiment: string
  readonly token: Redacted.Redacted | undefined
  readonly names: Spelling
}

/** Most metrics and parameters of one batch, as the server limits them. */
const METRICS = 1000
const PARAMETERS = 100
/** Longest value of a parameter. */
const LONGEST = 6000

const Nothing = Schema.Struct({})
const Experiment = Schema.Struct({ experiment: Schema.Struct({ experiment_id: Schema.String }) })
const Created = Schema.Struct({ experiment_id: Schema.String })
const Run = Schema.Struct({ info: Schema.Struct({ run_id: Schema.String }) })
const Found = Schema.Struct({ runs: Schema.optionalKey(Schema.Array(Run)) })
const Begun = Schema.Struct({ run: Run })

const parts = <A>(all: ReadonlyArray<A>, size: number): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size))

/** Makes the tracker. Rows of an attempt that was cut are sent again by none: each attempt sends what it has written itself. */
export const mlflow = Effect.fn("Mlflow.make")(function* (options: MlflowOptions) {
  const client = yield* HttpClient.HttpClient
  const place = { tracker: "mlflow", url: options.url, token: options.token }
  const call = post(client, place)
  let id: string | undefined

  const needed = <A>(answer: A | undefined, path: string): Effect.Effect<A, TrackerFailed> =>
    answer === undefined
      ? Effect.fail(new TrackerFailed({ tracker: "mlflow", url: options.url, reason: `${path} is not there` }))
      : Effect.succeed(answer)

  const experimentId = Effect.gen(function* () {
    // a name that is taken is an error of `create`; a race of two runs is won by one of them
    const created = yield* Effect.option(
      call("/api/2.0/mlflow/experiments/create", { name: options.experiment }, Created)
    )
    if (created._tag === "Some" && created.value !== undefined) return created.value.experiment_id
    const path = "/api/2.0/mlflow/experiments/get-by-name"
    const answer = yield* needed(
      yield* get(client, place)(path, { experiment_name: options.experiment }, Experiment),
      path
    )
    return answer.experiment.experiment_id
  })

  const begin = Effect.fnUntraced(function* ({ run, settings }: TrackedRun) {
    const experiment_id = yield* experimentId
    const filter = `tags.\`gradus.run\` = '${run.replaceAll("'", "")}'`
    const path = "/api/2.0/mlflow/runs/search"
    const found = yield* needed(
      yield* call(path, { experiment_ids: [experiment_id], filter, max_results: 1 }, Found),
      path
    )
    const known = found.runs?.[0]?.info.run_id
    if (known !== undefined) {
      id = known
      return yield* Effect.asVoid(
        call("/api/2.0/mlflow/runs/update", { run_id: known, status: "RUNNING" }, Schema.Unknown)
      )
    }
    const begun = yield* call(
      "/api/2.0/mlflow/runs/create",
      {
        experiment_id,
        run_name: run,
        start_time: yield* Clock.currentTimeMillis,
        tags: [{ key: "gradus.run", value: run }]
      },
      Begun
    )
    const run_id = (yield* needed(begun, "/api/2.0/mlflow/runs/create")).run.info.run_id
    id = run_id
    const params = Object.entries(settings).map(([key, value]) => ({ key, value: value.slice(0, LONGEST) }))
    for (const some of parts(params, PARAMETERS))
      yield* call("/api/2.0/mlflow/runs/log-batch", { run_id, params: some }, Nothing)
  })

  const log = Effect.fnUntraced(function* (rows: ReadonlyArray<MetricsRow>) {
    const timestamp = yield* Clock.currentTimeMillis
    const metrics = rows.flatMap((row) =>
      spelt(row, options.names).map(([key, value]) => ({ key, value, timestamp, step: row.step }))
    )
    for (const some of parts(metrics, METRICS))
      yield* call("/api/2.0/mlflow/runs/log-batch", { run_id: id, metrics: some }, Nothing)
  })

  const end = Effect.gen(function* () {
    const end_time = yield* Clock.currentTimeMillis
    yield* call("/api/2.0/mlflow/runs/update", { run_id: id, status: "FINISHED", end_time }, Schema.Unknown)
  })
  const tracker: Tracker = { name: "mlflow", begin, log, end }
  return tracker
})
