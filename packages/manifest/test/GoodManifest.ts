/** The quickstart's manifest in short, and how the tests resolve it. */
import * as Result from "effect/Result"
import { formatIssue, type ManifestIssue } from "../src/ManifestInvalid.ts"
import { resolve, type ResolvedManifest } from "../src/Resolve.ts"

export const good = `version: 1
name: sorting
questions: {kind: sorting}
prompt:
  template: "{mode}<user>{question}=<assistant>"
  mode: {on: "<on>", off: "<off>"}
policy:
  kind: init
  architecture: {hidden_size: 128, intermediate_size: 256, layers: 2, heads: 4, kv_heads: 4, head_dim: 32, max_positions: 128, init_std: 0.03}
  tokenizer:
    kind: characters
    tokens: ["<think>", "</think>", "<on>", "<off>", "<user>", "<assistant>"]
    characters: "abcdefghijklmnopqrstuvwxyz="
sampling: {max_tokens: 40}
warmup: {steps: 400, examples_per_step: 24, learning_rate: {peak: 0.003, warmup_updates: 30, shape: cosine}}
train:
  steps: 50
  prompts_per_step: 32
  samples_per_prompt: 16
  learning_rate: {peak: 0.0005, warmup_updates: 5}
`

const attempt = (text: string, overrides: ReadonlyArray<string>) => resolve([{ file: "m.yaml", text }], overrides)

/** Resolves a text that must be valid. */
export const resolved = (text: string = good, ...overrides: ReadonlyArray<string>): ResolvedManifest =>
  Result.getOrThrow(attempt(text, overrides))

/** Gives the problems of a text, none where it is valid. */
export const issuesOf = (text: string, ...overrides: ReadonlyArray<string>): ReadonlyArray<ManifestIssue> => {
  const result = attempt(text, overrides)
  return Result.isFailure(result) ? result.failure.issues : []
}

/** Gives the problems of a text as the lines that a person sees. */
export const linesOf = (text: string, ...overrides: ReadonlyArray<string>): ReadonlyArray<string> =>
  issuesOf(text, ...overrides).map(formatIssue)

/** Gives the lines that overrides of the good manifest bring, without the override's name in front. */
export const overridden = (...overrides: ReadonlyArray<string>): ReadonlyArray<string> =>
  issuesOf(good, ...overrides).map((issue) => formatIssue(issue).slice(`${issue.file}:1:1 `.length))
