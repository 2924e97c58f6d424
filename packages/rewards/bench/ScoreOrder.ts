/**
 * Checks that a reward stays with its sample: judgements end in another order than they began, some fail, completions come in any order, and
 * every score must still be the one that its own completion deserves. Used small by a test and with a million samples by a bench.
 */
import { RewardsSpec } from "@gradus/domain/manifest/Rewards"
import type { ScoreRequest, Verdict } from "@gradus/domain/Score"
import * as Seed from "@gradus/domain/Seed"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Judged } from "../src/judge/Prompt.ts"
import { Judge } from "../src/service/Judge.ts"
import { Scorer } from "../src/service/Scorer.ts"

const VERDICTS = ["yes", "no", "unreadable", "failed"] as const

/** What the judge of this check says depends on the answer alone: its last digit. */
const verdictOf = (answer: string): Verdict["verdict"] => VERDICTS[Number(answer.at(-1)) % VERDICTS.length] ?? "failed"

/** The value that a completion deserves: `right …` by rule, the others by the verdict on them; null for no value. */
const deserved = (completion: string): number | null => {
  const answer = completion.slice(completion.indexOf("</think>") + "</think>".length)
  if (!answer.startsWith("text")) return answer === "7" ? 1 : null
  return ({ yes: 1, no: 0, unreadable: null, failed: null } as const)[verdictOf(answer)]
}

/** Judges after a few turns of the scheduler, a different number for each answer. */
const judgeLayer = (seed: Seed.Seed): Layer.Layer<Judge> => {
  const judge = Effect.fnUntraced(function* ({ answer }: Judged) {
    const turns = Seed.toInt(Seed.child(seed, answer)) % 4
    for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow
    const counted = { prompt_tokens: 0, completion_tokens: 0, ms: 0 }
    return { verdict: verdictOf(answer), reply: null, model: "check", prompt_digest: "", ...counted }
  })
  return Layer.succeed(Judge, { judge, judgeAfresh: judge } as Judge["Service"])
}

const spec = Schema.decodeSync(RewardsSpec)({ accuracy: "exact", cascade: "judge", format: "none" })

const requestsOf = (count: number, stream: Seed.Stream): ReadonlyArray<ScoreRequest> =>
  Array.from({ length: count }, (_, i) => {
    const answer = stream.below(4) === 0 ? "7" : `text ${stream.below(count)}`
    return { id: `s/${i}`, gold: "7", completion: `<think>${i}</think>${answer}`, thinking: "on" }
  })

/** Scores `count` samples in shuffled batches and counts those whose reward is not their own: 0 is right. */
export const misplaced = Effect.fnUntraced(
  function* (count: number, batch: number, seed: number) {
    const scorer = yield* Scorer
    const stream = Seed.stream(Seed.root(seed))
    const requests = stream.shuffle([...requestsOf(count, stream)])
    let wrong = 0
    for (let from = 0; from < count; from += batch) {
      const given = requests.slice(from, from + batch)
      const scores = yield* scorer.score(given)
      wrong += given.filter(({ completion }, i) => scores[i]?.value !== deserved(completion)).length
      wrong += Math.abs(scores.length - given.length)
    }
    return wrong
  },
  (effect, _count, _batch, seed) =>
    Effect.provide(effect, Scorer.layerJudge(spec).pipe(Layer.provide(judgeLayer(Seed.root(seed + 1)))))
)
