/** The parts of Inspect's evaluation log (`EvalLog`, version 2) that we write, spelt as its JSON has them. */
import * as Schema from "effect/Schema"

const Named = Schema.Record(Schema.String, Schema.Unknown)
/** Tokens that were sampled; those of prompts are in no file of a run, and Inspect then reads 0. */
const Usage = Schema.Struct({ output_tokens: Schema.Int, total_tokens: Schema.Int })
const Metric = Schema.Struct({ name: Schema.String, value: Schema.Finite })
/** Settings of generation by Inspect's names. */
const Generation = Schema.Struct({ temperature: Schema.Finite, max_tokens: Schema.Int })

const Spec = Schema.Struct({
  eval_id: Schema.String,
  run_id: Schema.String,
  created: Schema.String,
  task: Schema.String,
  task_id: Schema.String,
  dataset: Schema.Struct({
    name: Schema.String,
    samples: Schema.Int,
    sample_ids: Schema.Array(Schema.String),
    shuffled: Schema.Boolean
  }),
  model: Schema.String,
  model_generate_config: Generation,
  config: Schema.Struct({ epochs: Schema.Int, epochs_reducer: Schema.Array(Schema.String) }),
  revision: Schema.optionalKey(
    Schema.Struct({
      type: Schema.Literal("git"),
      origin: Schema.String,
      commit: Schema.String,
      dirty: Schema.Boolean
    })
  ),
  packages: Schema.Record(Schema.String, Schema.String),
  tags: Schema.Array(Schema.String),
  metadata: Named
})

const Sample = Schema.Struct({
  id: Schema.String,
  epoch: Schema.Int,
  input: Schema.String,
  target: Schema.String,
  messages: Schema.Array(
    Schema.Struct({
      role: Schema.Literals(["user", "assistant"]),
      content: Schema.String,
      source: Schema.Literals(["input", "generate"])
    })
  ),
  output: Schema.Struct({
    model: Schema.String,
    choices: Schema.Array(
      Schema.Struct({
        message: Schema.Struct({
          role: Schema.Literal("assistant"),
          content: Schema.String,
          source: Schema.Literal("generate")
        }),
        stop_reason: Schema.Literals(["stop", "max_tokens"])
      })
    ),
    completion: Schema.String,
    usage: Usage
  }),
  scores: Schema.Record(
    Schema.String,
    Schema.Struct({
      value: Schema.Finite,
      answer: Schema.NullOr(Schema.String),
      explanation: Schema.NullOr(Schema.String)
    })
  ),
  model_usage: Schema.Record(Schema.String, Usage),
  metadata: Named
})

export const InspectLog = Schema.Struct({
  version: Schema.Literal(2),
  status: Schema.Literal("success"),
  eval: Spec,
  plan: Schema.Struct({
    name: Schema.String,
    steps: Schema.Array(Schema.Struct({ solver: Schema.String, params: Named })),
    config: Generation
  }),
  results: Schema.Struct({
    total_samples: Schema.Int,
    completed_samples: Schema.Int,
    scores: Schema.Array(
      Schema.Struct({
        name: Schema.String,
        scorer: Schema.String,
        scored_samples: Schema.Int,
        unscored_samples: Schema.Int,
        params: Named,
        metrics: Schema.Record(Schema.String, Metric)
      })
    )
  }),
  stats: Schema.Struct({
    started_at: Schema.String,
    completed_at: Schema.String,
    model_usage: Schema.Record(Schema.String, Usage)
  }),
  samples: Schema.Array(Sample)
})
export type InspectLog = typeof InspectLog.Type
export type InspectSample = typeof Sample.Type
