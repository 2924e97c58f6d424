/** Drawing distinct questions by rejection, with an end: a small space is an error, never an endless loop. */
import * as Effect from "effect/Effect"
import { QuestionSpaceExhausted } from "./DatasetErrors.ts"

/** Draws in a row that give nothing new before a space counts as exhausted. A space of 1,000 with one question left is missed so with probability 4.5e-5. */
const patience = 10_000

/** Draws until `accept` takes one; undefined when patience ends. */
export const drawNew = <A>(draw: () => A, accept: (candidate: A) => boolean): A | undefined => {
  for (let i = 0; i < patience; i++) {
    const candidate = draw()
    if (accept(candidate)) return candidate
  }
  return undefined
}

/** What is drawn and for which set; the error says it. */
export interface Wanted {
  readonly task: string
  readonly set: string
  readonly level: string
  readonly count: number
}

/** Draws `wanted.count` candidates whose texts are not in `seen`, and adds their texts to it. */
export const drawDistinct = <A extends { readonly question: string }>(
  wanted: Wanted,
  draw: () => A,
  seen: Set<string>
): Effect.Effect<ReadonlyArray<A>, QuestionSpaceExhausted> => {
  const drawn: Array<A> = []
  while (drawn.length < wanted.count) {
    const candidate = drawNew(draw, ({ question }) => !seen.has(question))
    if (candidate === undefined) {
      const { count: asked, level, set, task } = wanted
      return Effect.fail(new QuestionSpaceExhausted({ task, set, level, asked, found: drawn.length }))
    }
    seen.add(candidate.question)
    drawn.push(candidate)
  }
  return Effect.succeed(drawn)
}
