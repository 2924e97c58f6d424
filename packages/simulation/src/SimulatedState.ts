/** The state of a simulated policy: its runs, their abilities, and the weights that were saved. A plain value, so that it can be stored and read back. */
import * as Digest from "@gradus/domain/Digest"
import { UpdateAnswer } from "@gradus/domain/TrainerMessages"
import * as Schema from "effect/Schema"

export const AbilityState = Schema.Struct({
  low: Schema.Finite,
  high: Schema.Finite,
  knots: Schema.Array(Schema.Finite)
})

export const SimulatedRun = Schema.Struct({
  lease: Schema.Int,
  version: Schema.Int,
  ability: AbilityState,
  /** The learning rate of the first update: gains are relative to it, so that schedules count and scales do not. */
  reference_rate: Schema.NullOr(Schema.Finite),
  /** Answers to the updates that were applied, in order. */
  answers: Schema.Array(UpdateAnswer),
  durable: Schema.Int
})
export type SimulatedRun = typeof SimulatedRun.Type

export const SimulatedState = Schema.Struct({
  format: Schema.Literal(1),
  simulation: Schema.Literal(true),
  runs: Schema.Record(Schema.String, SimulatedRun),
  artifacts: Schema.Record(Schema.String, AbilityState)
})
export type SimulatedState = typeof SimulatedState.Type

export const empty: SimulatedState = { format: 1, simulation: true, runs: {}, artifacts: {} }

/** Computes the digest that stands for weights: of the abilities, under a name that no real weights have. */
export const weightsDigest = (ability: typeof AbilityState.Type): Digest.Digest => Digest.ofJson({ simulated: ability })

/** Reads a stored state; encoding is `JSON.stringify` of the state. */
export const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(SimulatedState))
