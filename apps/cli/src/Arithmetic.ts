/** The arithmetic of a run, said before it begins. Pure. */
import type { Manifest } from "@gradus/domain/manifest/Manifest"

const trainQuestions = ({ questions }: Manifest): string => {
  if (questions.kind === "sorting") return String(questions.train)
  if (questions.kind === "arithmetic") return String(questions.levels.length * questions.train_per_level)
  return questions.train.limit === undefined ? "all" : `at most ${questions.train.limit}`
}

/** Writes what a run will ask for, one line a stage. */
export const arithmetic = (manifest: Manifest): ReadonlyArray<string> => {
  const { evaluate, profile, sampling, train, warmup } = manifest
  const sequences = train.prompts_per_step * train.samples_per_prompt
  const steps = train.steps === undefined ? "one pass over what is kept" : `${train.steps} steps`
  return [
    ...(warmup === undefined ? [] : [`warm-up: ${warmup.steps} updates x ${warmup.examples_per_step} examples`]),
    `profile: ${trainQuestions(manifest)} questions ${profile.from === undefined ? `x ${profile.samples} samples` : `by ${profile.from.file}`}, drop at pass rate ${manifest.filter.drop_at}`,
    `train: ${steps} x ${train.prompts_per_step} prompts x ${train.samples_per_prompt} samples = ${sequences} sequences a step, ` +
      `at most ${sequences * sampling.max_tokens} generated tokens, ${train.updates_per_step} update${train.updates_per_step === 1 ? "" : "s"}`,
    `evaluate: ${evaluate.samples} samples a question before and after${evaluate.every > 0 ? `, a reading every ${evaluate.every} steps` : ""}`
  ]
}
