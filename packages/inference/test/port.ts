/** What the generator tests share: a request of some groups, and how a generator is built for a test. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import type { CompletionGroup } from "@gradus/domain/Completion"
import type * as CompletionsServer from "@gradus/testing/CompletionsServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { HttpClient } from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import type { GenerationRequest, GeneratorFailed } from "../src/Generator.ts"
import { Generator } from "../src/Generator.ts"

/** Asks for `samples` answers to each of the questions q0, q1, …; the seed of qj is 100·j. */
export const requestOf = (questions: number, samples: number): GenerationRequest => ({
  stage: "train",
  step: 2,
  model: "loopback",
  policyVersion: 4,
  sampling: { temperature: 1, max_tokens: 32 },
  groups: Array.from({ length: questions }, (_, j) => ({
    question_id: `q${j}`,
    prompt: `p${j}`,
    samples,
    seed: 100 * j
  }))
})

/** Answers sample i of a prompt with `<prompt>#<seed + i>`, so that a text says which stream it has. */
export const bySeed: CompletionsServer.CompletionsOptions["answers"] = (prompt, n, seed) =>
  Array.from({ length: n }, (_, i) => `${String(prompt)}#${seed === null ? "-" : seed + i}`)

/** Builds a generator over real HTTP for as long as the test's scope. */
export const built = (layer: Layer.Layer<Generator, GeneratorFailed, HttpClient>) =>
  layer.pipe(
    Layer.provide(NodeHttpClient.layerUndici),
    Layer.build,
    Effect.map((services) => Context.get(services, Generator))
  )

/** Lists texts by group. */
export const texts = (groups: ReadonlyArray<CompletionGroup>) =>
  groups.map((group) => group.completions.map((completion) => completion.text))
