/** The trackers that a manifest names: none of them can stop or slow a run. */
import { leaves } from "@gradus/domain/Leaves"
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import type { TrackerSpec } from "@gradus/domain/manifest/Track"
import { MetricsSink } from "@gradus/domain/MetricsSink"
import { gauges } from "@gradus/trackers/Gauges"
import { mlflow } from "@gradus/trackers/Mlflow"
import { start, type Tracker } from "@gradus/trackers/Tracker"
import { trackio } from "@gradus/trackers/Trackio"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import * as Otlp from "effect/observability/Otlp"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import { createServer } from "node:http"

const secret = (reference: { readonly env: string } | undefined) =>
  reference === undefined ? Effect.succeed(undefined) : Config.Redacted(reference.env)

const trackerOf = (
  spec: TrackerSpec
): Effect.Effect<ReadonlyArray<Tracker>, Config.ConfigError, HttpClient.HttpClient> => {
  switch (spec.kind) {
    case "mlflow":
      return Effect.flatMap(secret(spec.token), (token) => Effect.map(mlflow({ ...spec, token }), (one) => [one]))
    case "trackio":
      return Effect.flatMap(secret(spec.token), (token) => Effect.map(trackio({ ...spec, token }), (one) => [one]))
    case "otlp":
    case "prometheus":
      return Effect.succeed([])
  }
}

/** Sends what this process measures to a collector: metrics and traces of Effect, and the run's gauges among them. */
const collector = ({ encoding, url }: Extract<TrackerSpec, { readonly kind: "otlp" }>, run: string) => {
  const options = {
    baseUrl: url,
    resource: {
      serviceName: "gradus",
      attributes: { "gradus.run": run, "trackio.run": run, "trackio.project": "gradus" }
    }
  }
  return (encoding === "json" ? Otlp.layerJson(options) : Otlp.layerProtobuf(options)).pipe(
    Layer.provide(NodeHttpClient.layerUndici)
  )
}

/** A port that is taken costs the metrics, not the run. */
const scraped = ({ port }: Extract<TrackerSpec, { readonly kind: "prometheus" }>) =>
  HttpRouter.serve(PrometheusMetrics.layerHttp(), { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provide(NodeHttpServer.layer(createServer, { port, host: "127.0.0.1", gracefulShutdownTimeout: "1 second" })),
    Layer.catchCause(() =>
      Layer.effectDiscard(Effect.logWarning(`port ${port} is taken; there are no metrics for Prometheus`))
    )
  )

const settingsOf = (manifest: object): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...leaves(manifest)].map(([path, value]) => [path, typeof value === "string" ? value : JSON.stringify(value)])
  )

/** Starts the trackers of a run. Secrets that are missing are an error before anything begins. */
export const tracking = (
  { track: specs = [], ...manifest }: Manifest,
  run: string
): Layer.Layer<never, Config.ConfigError> => {
  const sink = Layer.effect(
    MetricsSink,
    Effect.gen(function* () {
      const named = (yield* Effect.forEach(specs, trackerOf)).flat()
      const measured = specs.some(({ kind }) => kind === "otlp" || kind === "prometheus") ? [gauges()] : []
      return yield* start([...named, ...measured], { run, settings: settingsOf(manifest) })
    })
  ).pipe(Layer.provide(NodeHttpClient.layerUndici))
  const others = specs.flatMap((spec) =>
    spec.kind === "otlp" ? [collector(spec, run)] : spec.kind === "prometheus" ? [scraped(spec)] : []
  )
  return Layer.mergeAll(sink, ...others)
}
