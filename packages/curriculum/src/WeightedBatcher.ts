/**
 * What the batchers share that weigh each question by its latest pass rate: the profile's at first, then that of its last scored group.
 * Questions lie in tiers of equal weight. A batch is drawn without replacement, each place falling on a waiting question with
 * probability proportional to its weight. No sort and no pass over the pool: a step copies the arrays of the state and moves its batch.
 */
import type { PlannedBatch } from "@gradus/domain/Plan"
import type { RatedQuestion } from "@gradus/domain/Profile"
import * as Seed from "@gradus/domain/Seed"
import * as Schema from "effect/Schema"
import type { Batcher, DrawOptions, Outcome } from "./Batcher.ts"
import { canonicalOrder } from "./CanonicalOrder.ts"
import { checkOptions } from "./DeckBatcher.ts"
import { gather, gatherNumbers, ratesOf } from "./Levels.ts"
import * as Segments from "./Segments.ts"
import { Float64s } from "./TypedArrays.ts"

export interface WeightedOptions extends DrawOptions {
  /** Whether questions are drawn with replacement over the steps (absent), or each once in a pass (false). */
  readonly reuse?: boolean | undefined
}

const common = {
  /** Questions in canonical order. */
  ids: Schema.Array(Schema.String),
  /** Latest pass rate of each. */
  rates: Float64s,
  /** Segment 2 t holds tier t's waiting questions, 2 t + 1 those that rest: drawn in this pass, or in the last batch. */
  segments: Segments.Segments,
  /** The last batch. */
  last: Schema.Array(Schema.Int),
  step: Schema.Int,
  promptsPerStep: Schema.Int,
  lastBatch: Schema.Literals(["partial", "drop"]),
  reuse: Schema.Boolean,
  seed: Schema.Uint8ArrayFromHex
}

export interface WeightedState<Own> {
  readonly ids: ReadonlyArray<string>
  readonly rates: Float64Array
  readonly segments: Segments.Segments
  readonly last: ReadonlyArray<number>
  readonly step: number
  readonly promptsPerStep: number
  readonly lastBatch: "partial" | "drop"
  readonly reuse: boolean
  readonly seed: Uint8Array
  readonly own: Own
}

export interface WeightRule<Own, Options extends WeightedOptions> {
  readonly own: Schema.Codec<Own, unknown>
  readonly init: (options: Options) => Own
  /** Weights of a question by tier; questions of weight 0 are drawn only when no other is left. */
  readonly weights: (own: Own) => Float64Array
  readonly tierOf: (own: Own, rate: number) => number
  /** The tier at the start; absent: that of the profile's rate. */
  readonly firstTier?: (own: Own, rate: number) => number
  readonly metrics?: (own: Own, counts: Int32Array) => Readonly<Record<string, number>>
}

/** Counts waiting questions by tier. */
const waiting = (segments: Segments.Segments): Int32Array =>
  Int32Array.from({ length: (segments.bounds.length - 1) / 2 }, (_, tier) => Segments.size(segments, 2 * tier))

const total = (counts: ArrayLike<number>): number => {
  let sum = 0
  for (let i = 0; i < counts.length; i++) sum += counts[i] ?? 0
  return sum
}

/** Finds the tier in whose part of the open weight a number falls; a tier without weight or questions is never found. */
const pick = (open: Float64Array, at: number): number => {
  let below = 0
  let last = 0
  for (let t = 0; t < open.length; t++) {
    const weight = open[t] ?? 0
    if (weight <= 0) continue
    below += weight
    last = t
    if (at < below) break
  }
  return last
}

/** Draws `size` waiting questions, which then rest. Changes `segments`. */
const drawBatch = (segments: Segments.Segments, weights: Float64Array, size: number, stream: Seed.Stream) => {
  const drawn: Array<number> = []
  const counts = waiting(segments)
  const open = weights.map((weight, t) => weight * (counts[t] ?? 0))
  let fill = 0
  while (drawn.length < size) {
    const sum = total(open)
    const tier =
      sum > 0 ? pick(open, stream.next() * sum) : pick(Float64Array.from(counts), stream.next() * total(counts))
    if (sum <= 0) fill++
    const question = Segments.at(segments, 2 * tier, stream.below(counts[tier] ?? 1))
    Segments.move(segments, question, 2 * tier, 2 * tier + 1)
    counts[tier]! -= 1
    open[tier] = (weights[tier] ?? 0) * (counts[tier] ?? 0)
    drawn.push(question)
  }
  return { drawn, fill }
}

/** Makes a batcher of weights. */
export const weightedBatcher = <Own, Options extends WeightedOptions>(
  rule: WeightRule<Own, Options>
): Batcher<WeightedState<Own>, Options> => {
  type State = WeightedState<Own>

  const init = (pool: ReadonlyArray<RatedQuestion>, options: Options): State => {
    checkOptions(options)
    const unordered = ratesOf(pool)
    const ids = pool.map((question) => question.question_id)
    const order = canonicalOrder(ids)
    const rates = gatherNumbers(unordered, order)
    const own = rule.init(options)
    const tierOf = rule.firstTier ?? rule.tierOf
    const tiers = Int32Array.from(rates, (rate) => 2 * tierOf(own, rate))
    return {
      ids: gather(ids, order, ""),
      rates,
      segments: Segments.make(tiers, 2 * rule.weights(own).length),
      last: [],
      step: 0,
      promptsPerStep: options.promptsPerStep,
      lastBatch: options.lastBatch,
      reuse: options.reuse ?? true,
      seed: Seed.child(options.seed, "weighted").bytes,
      own
    }
  }

  const draw = (state: State): readonly [PlannedBatch, State] | undefined => {
    const available = state.reuse ? state.ids.length : total(waiting(state.segments))
    const size = Math.min(state.promptsPerStep, available)
    if (size === 0 || (size < state.promptsPerStep && state.lastBatch === "drop")) return undefined
    const segments = Segments.copy(state.segments)
    if (state.reuse) {
      for (const question of state.last) {
        const segment = Segments.segmentOf(segments, question)
        Segments.move(segments, question, segment, segment & ~1)
      }
    }
    const stream = Seed.stream(Seed.child({ bytes: state.seed }, state.step))
    const { drawn, fill } = drawBatch(segments, rule.weights(state.own), size, stream)
    const batch = {
      batch: state.step + 1,
      questions: drawn.map((question) => state.ids[question] ?? ""),
      targetMean: null,
      achievedMean: drawn.reduce((sum, question) => sum + (state.rates[question] ?? 0), 0) / size,
      fill
    }
    return [batch, { ...state, segments, last: drawn, step: state.step + 1 }]
  }

  const observe = (state: State, outcomes: ReadonlyArray<Outcome>): State => {
    const index = new Map(state.last.map((question) => [state.ids[question] ?? "", question]))
    const segments = Segments.copy(state.segments)
    const rates = state.rates.slice()
    for (const { passed, question_id, scored } of outcomes) {
      const question = index.get(question_id)
      if (question === undefined) continue
      const from = Segments.segmentOf(segments, question)
      if (scored === 0) {
        if (!state.reuse) Segments.move(segments, question, from, from & ~1)
        continue
      }
      rates[question] = passed / scored
      Segments.move(segments, question, from, 2 * rule.tierOf(state.own, passed / scored) + (from & 1))
    }
    return { ...state, segments, rates }
  }

  const countsOf = ({ segments }: State): Int32Array =>
    waiting(segments).map((count, tier) => count + Segments.size(segments, 2 * tier + 1))

  return {
    stateSchema: Schema.Struct({ ...common, own: rule.own }) as unknown as Schema.Codec<State, unknown>,
    init,
    draw,
    observe,
    target: () => null,
    metrics: (state) => {
      const counts = countsOf(state)
      const weights = rule.weights(state.own)
      return {
        "curriculum/step": state.step,
        "curriculum/left": state.reuse ? state.ids.length : total(waiting(state.segments)),
        "curriculum/starved": total(counts.filter((_, tier) => (weights[tier] ?? 0) <= 0)),
        ...rule.metrics?.(state.own, counts)
      }
    }
  }
}
