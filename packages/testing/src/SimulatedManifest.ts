/** A manifest of letters to sort for a simulated policy: all of a run in about a second. */

export interface SimulatedManifestParts {
  readonly name?: string
  /** Sizes of its sets of questions. */
  readonly questions?: string
  /** Steps and sizes; empty where the schedule gives them. */
  readonly train?: string
  readonly evaluate?: string
  /** Sections besides, as YAML. */
  readonly more?: string
}

/** Writes it as YAML. */
export const simulatedManifest = ({
  evaluate = "samples: 2, every: 2",
  more = "",
  name = "simulated",
  questions = "train: 48, heldout: 10, hard: 5",
  train = "steps: 6, prompts_per_step: 4, samples_per_prompt: 4"
}: SimulatedManifestParts = {}): string => `version: 1
name: ${name}
questions: {kind: sorting, ${questions}}
prompt: {template: "{mode}{question}", mode: {on: "+", off: "-"}}
policy: {kind: huggingface, path: policy}
sampling: {max_tokens: 64}
train: {${train}, learning_rate: {peak: 0.001}, checkpoint_every: 2}
evaluate: {${evaluate}}
${more}`
