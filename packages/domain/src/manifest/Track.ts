/** `track:` where the metrics of a run go besides its files. Nothing here changes a result, so none of it is part of a run's identity. */
import * as Schema from "effect/Schema"
import { defaulted } from "./Defaulted.ts"
import { Address, Index, SecretReference, Text } from "./Numbers.ts"

/** User names and passwords in an address are secrets that are written. */
const TrackerAddress = Address.check(Schema.isPattern(/^https?:\/\/[^\s@]+$/))

/** Names of metrics as other frameworks spell them; `trl` is our own. */
const names = defaulted(Schema.Literals(["trl", "verl", "prime-rl", "nemo-rl"]), "trl")

export const MlflowTracker = Schema.Struct({
  kind: Schema.Literal("mlflow"),
  url: TrackerAddress,
  experiment: defaulted(Text.check(Schema.isMinLength(1)), "gradus"),
  token: Schema.optionalKey(SecretReference),
  names
})
export const TrackioTracker = Schema.Struct({
  kind: Schema.Literal("trackio"),
  url: TrackerAddress,
  project: defaulted(Text.check(Schema.isMinLength(1)), "gradus"),
  token: Schema.optionalKey(SecretReference),
  names
})
/** An OpenTelemetry collector: metrics and traces over OTLP/HTTP. */
export const OtlpTracker = Schema.Struct({
  kind: Schema.Literal("otlp"),
  url: TrackerAddress,
  encoding: defaulted(Schema.Literals(["json", "protobuf"]), "protobuf")
})
/** `/metrics` on loopback, for a Prometheus that scrapes this machine. */
export const PrometheusTracker = Schema.Struct({ kind: Schema.Literal("prometheus"), port: defaulted(Index, 9464) })

export const TrackerSpec = Schema.Union([MlflowTracker, TrackioTracker, OtlpTracker, PrometheusTracker])
export type TrackerSpec = typeof TrackerSpec.Type
