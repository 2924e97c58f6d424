import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as EmbeddedGenerator from "../src/EmbeddedGenerator.ts"
import type { GenerationRequest } from "../src/Generator.ts"
import { built } from "./port.ts"
import * as RealTrainer from "./realTrainer.ts"

const request: GenerationRequest = {
  stage: "profile",
  step: 0,
  model: "tiny",
  policyVersion: 0,
  sampling: { temperature: 1, max_tokens: 12 },
  groups: ["ab", "c", "dcba", "bb", "a"].map((prompt, j) => ({
    question_id: `q${j}`,
    prompt,
    samples: 8,
    seed: 1000 * j
  }))
}

it.live(
  "EmbeddedGenerator on the real service: whole groups, equal for equal seeds, chunk by chunk",
  () =>
    Effect.gen(function* () {
      const url = yield* RealTrainer.started
      const options = { url, token: Redacted.make(RealTrainer.token), deadline: "60 seconds", attempts: 2 } as const
      const generator = yield* built(EmbeddedGenerator.layer({ ...options, chunkPrompts: 2 }))
      assert.strictEqual(generator.determinism, "bitwise")

      const groups = yield* generator.generate(request)
      assert.deepStrictEqual(
        groups.map((group) => [group.group_id, group.completions.length, group.failures.length, group.policy_version]),
        request.groups.map(({ question_id }) => [`profile/0/${question_id}`, 8, 0, 0])
      )
      assert.deepStrictEqual(groups[2]?.prompt_token_ids, [5, 4, 3, 2])
      for (const { finish_reason, logprobs, text, token_ids } of groups.flatMap(({ completions }) => completions)) {
        assert.strictEqual(logprobs.length, token_ids.length)
        assert.isTrue(logprobs.every((logprob) => logprob !== null && logprob < 0))
        assert.strictEqual(token_ids.at(-1) === 1, finish_reason === "stop")
        assert.match(text, /^[abcd]{0,12}$/)
      }
      assert.isAbove(new Set(groups.flatMap((group) => group.completions.map(({ text }) => text))).size, 10)

      assert.deepStrictEqual(yield* generator.generate(request), groups)
      const [first] = yield* generator.generate({ ...request, groups: request.groups.slice(0, 2) })
      assert.deepStrictEqual(first, groups[0])

      const stale = yield* Effect.flip(generator.generate({ ...request, policyVersion: 1 }))
      assert.include(stale.reason, "stale policy")
      const unknown = yield* Effect.flip(generator.generate({ ...request, model: "nobody" }))
      assert.strictEqual(unknown.status, 404)
      const wrong = { ...options, token: Redacted.make("wrong"), chunkPrompts: 2 }
      const refused = yield* Effect.flip(built(EmbeddedGenerator.layer(wrong)))
      assert.strictEqual(refused.status, 401)
    }),
  120_000
)
