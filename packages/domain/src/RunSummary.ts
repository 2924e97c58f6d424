/** What `gradus run --json` and `gradus resume --json` print: an interface that later versions only add to. */
import * as Schema from "effect/Schema"

export const EvaluationSummary = Schema.Struct({
  first: Schema.NullOr(Schema.Finite),
  last: Schema.NullOr(Schema.Finite)
})

export const RunSummary = Schema.Struct({
  run: Schema.String,
  dir: Schema.String,
  seconds: Schema.Finite,
  steps: Schema.Int,
  /** Sampled accuracy in [0, 1] before and after GRPO, by evaluation set. */
  eval: Schema.Record(Schema.String, EvaluationSummary),
  digest: Schema.Struct({ plan: Schema.String, metrics: Schema.String, weights: Schema.String })
})
export type RunSummary = typeof RunSummary.Type
