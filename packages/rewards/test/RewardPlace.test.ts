/** A reward belongs to its sample, whoever is answered first and whoever fails: the scorer over a judge that answers in any order. */
import { assert, it } from "@effect/vitest"
import type { ScoreRequest, Verdict } from "@gradus/domain/Score"
import * as Seed from "@gradus/domain/Seed"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Judged } from "../src/judge/Prompt.ts"
import { Judge } from "../src/service/Judge.ts"
import { Scorer } from "../src/service/Scorer.ts"
import { rewards } from "./Rules.ts"

/** GRADUS_SAMPLES=1000000 is the figure that is claimed: half a minute on an idle machine. */
const SAMPLES = Number(process.env["GRADUS_SAMPLES"] ?? 100_000)
const BATCH = 5_000

/** The verdict that an answer's own number stands for: by turns yes, no, failed, unreadable, yes. */
const WORDS = ["yes", "no", "failed", "unreadable", "yes"] as const
const wordOf = (answer: string): Verdict["verdict"] => WORDS[Number(answer.slice("answer ".length)) % WORDS.length]!
const valueOf = { yes: 1, no: 0, failed: null, unreadable: null } as const

const verdict = (word: Verdict["verdict"]): Verdict => ({
  verdict: word,
  reply: word,
  model: "m",
  prompt_digest: "d",
  prompt_tokens: 1,
  completion_tokens: 1,
  ms: 1
})

/** A judge that holds every question back until all are asked, and then answers in random order. */
const shufflingJudge = (seed: Seed.Seed, batches: () => number) => {
  let waiting: Array<readonly [Judged, Deferred.Deferred<Verdict>]> = []
  let rounds = 0
  const answerAll = Effect.suspend(() => {
    const mixed = Seed.stream(Seed.child(seed, "round", rounds++)).shuffle(waiting)
    waiting = []
    return Effect.forEach(mixed, ([judged, place]) => Deferred.succeed(place, verdict(wordOf(judged.answer))), {
      discard: true
    })
  })
  const judge = Effect.fnUntraced(function* (judged: Judged) {
    const place = yield* Deferred.make<Verdict>()
    waiting.push([judged, place])
    if (waiting.length === batches()) yield* answerAll
    return yield* Deferred.await(place)
  })
  return { judge, judgeAfresh: judge }
}

it.effect(
  `${SAMPLES} rewards stay with their samples through shuffled answers and failures`,
  () =>
    Effect.gen(function* () {
      const seed = Seed.child(Seed.root(11), "places")
      let distinct = 0
      const { score } = yield* Scorer.pipe(
        Effect.provide(
          Scorer.layerJudge(rewards({ accuracy: "judge", format: "none" })).pipe(
            Layer.provide(
              Layer.succeed(
                Judge,
                shufflingJudge(seed, () => distinct)
              )
            )
          )
        )
      )
      let misplaced = 0
      for (let start = 0; start < SAMPLES; start += BATCH) {
        const stream = Seed.stream(Seed.child(seed, "batch", start))
        // one in eight repeats another sample's answer, and is judged with it
        const numbers = Array.from(
          { length: BATCH },
          (_, i) => start + (stream.below(8) === 0 ? stream.below(i + 1) : i)
        )
        distinct = new Set(numbers).size
        const requests = numbers.map((number, i): ScoreRequest => ({
          id: `${start + i}`,
          gold: "a word",
          completion: `answer ${number}`,
          thinking: "off"
        }))
        const scores = yield* score(requests)
        misplaced += scores.filter(
          ({ value, answer }, i) =>
            value !== valueOf[wordOf(`answer ${numbers[i]}`)] || answer !== `answer ${numbers[i]}`
        ).length
      }
      assert.strictEqual(misplaced, 0)
    }),
  120_000
)
