/** The uniform batcher: a random permutation of the pool, cut into batches. The fair control of every other order (paper, section 1). */
import type { RatedQuestion } from "@gradus/domain/Profile"
import * as Seed from "@gradus/domain/Seed"
import * as Schema from "effect/Schema"
import type { Batcher, DrawOptions } from "../Batcher.ts"
import { drawSize } from "../Batcher.ts"
import { canonicalOrder } from "../CanonicalOrder.ts"
import { checkOptions } from "../DeckBatcher.ts"
import { gather, gatherNumbers, ratesOf } from "../Levels.ts"
import { Float64s } from "../TypedArrays.ts"

export const UniformState = Schema.Struct({
  /** Questions in the order in which they are served; the first `drawn` of them have been. */
  ids: Schema.Array(Schema.String),
  questionRates: Float64s,
  drawn: Schema.Int,
  /** Positions that came back; they are served after the permutation's end. */
  returned: Schema.Array(Schema.Int),
  /** Positions of the last batch. */
  last: Schema.Array(Schema.Int),
  step: Schema.Int,
  promptsPerStep: Schema.Int,
  lastBatch: Schema.Literals(["partial", "drop"])
})
export type UniformState = typeof UniformState.Type

const init = (pool: ReadonlyArray<RatedQuestion>, options: DrawOptions): UniformState => {
  checkOptions(options)
  const rates = ratesOf(pool)
  const idAt = (i: number): string => pool[i]?.question_id ?? ""
  const order = canonicalOrder(pool.length, idAt)
  Seed.stream(Seed.child(options.seed, "uniform")).shuffle(order)
  return {
    ids: gather(order, idAt),
    questionRates: gatherNumbers(rates, order),
    drawn: 0,
    returned: [],
    last: [],
    step: 0,
    promptsPerStep: options.promptsPerStep,
    lastBatch: options.lastBatch
  }
}

const leftOf = (state: UniformState): number => state.ids.length - state.drawn + state.returned.length

const draw: Batcher<UniformState, DrawOptions>["draw"] = (state, refill) => {
  const size = drawSize(leftOf(state), state, refill)
  if (size === 0) return undefined
  const fresh = Math.min(size, state.ids.length - state.drawn)
  const last = Array.from({ length: fresh }, (_, i) => state.drawn + i).concat(state.returned.slice(0, size - fresh))
  const batch = {
    batch: state.step + 1,
    questions: last.map((position) => state.ids[position] ?? ""),
    targetMean: null,
    achievedMean: last.reduce((sum, position) => sum + (state.questionRates[position] ?? 0), 0) / size,
    fill: 0
  }
  const returned = state.returned.slice(size - fresh)
  return [batch, { ...state, drawn: state.drawn + fresh, returned, last, step: state.step + 1 }]
}

const observe: Batcher<UniformState, DrawOptions>["observe"] = (state, outcomes) => {
  const unscored = new Set(outcomes.filter(({ scored }) => scored === 0).map(({ question_id }) => question_id))
  const back = (position: number): boolean => unscored.has(state.ids[position] ?? "")
  return {
    ...state,
    returned: [...state.returned, ...state.last.filter(back)],
    last: state.last.filter((position) => !back(position))
  }
}

/** Serves a pool in a seeded random order; the pass rates do not matter to it. */
export const uniform: Batcher<UniformState, DrawOptions> = {
  stateSchema: UniformState,
  init,
  draw,
  observe,
  target: () => null,
  metrics: (state) => ({
    "curriculum/left": leftOf(state),
    "curriculum/returned": state.returned.length
  })
}
