/**
 * What the batchers share that weigh each question by its latest pass rate: the profile's at first, then that of its last scored group.
 * Questions lie in tiers of equal weight. A batch is drawn without replacement, each place falling on a waiting question with
 * probability proportional to its weight. No sort and no pass over the pool: a draw reads, and what is observed is one copy of the arrays and a move a question.
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
  /** The profile's pass rate of each, for the means of batches; the latest rate decides the tier alone. */
  rates: Float64s,
  /** Segment 2 t holds tier t's waiting questions, 2 t + 1 those that were drawn in this pass and rest. */
  segments: Segments.Segments,
  /** The last batch, and whether it still stands among the waiting: a draw changes no array, the next call settles it. */
  last: Schema.Array(Schema.Int),
  pending: Schema.Boolean,
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
  readonly pending: boolean
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

/** Draws members of segments without replacement and without changing them: a Fisher-Yates shuffle whose swaps are kept in a map. */
class Sampler {
  readonly moved = new Map<number, number>()
  readonly segments: Segments.Segments
  readonly counts: Int32Array
  constructor(segments: Segments.Segments, counts: Int32Array) {
    this.segments = segments
    this.counts = counts
  }
  take(tier: number, stream: Seed.Stream): number {
    const from = this.segments.bounds[2 * tier] ?? 0
    const count = this.counts[tier] ?? 1
    const chosen = from + stream.below(count)
    const last = from + count - 1
    const place = this.moved.get(chosen) ?? chosen
    this.moved.set(chosen, this.moved.get(last) ?? last)
    this.counts[tier] = count - 1
    return this.segments.order[place] ?? 0
  }
}

/** Finds the entry in whose part of the sum a number falls; an entry without weight is never found. */
const pick = (open: Float64Array, at: number): number => {
  let below = 0
  let last = 0
  for (let i = 0; i < open.length; i++) {
    const weight = open[i] ?? 0
    if (weight <= 0) continue
    below += weight
    last = i
    if (at < below) break
  }
  return last
}

/** Draws `size` waiting questions: those of tiers with a weight, then, as fill, any. */
const drawBatch = (segments: Segments.Segments, weights: Float64Array, size: number, stream: Seed.Stream) => {
  const drawn: Array<number> = []
  const counts = waiting(segments)
  const sampler = new Sampler(segments, counts)
  const drawFrom = (weightOf: (tier: number) => number): void => {
    const tiers = Int32Array.from(counts.keys()).filter((tier) => (counts[tier] ?? 0) > 0 && weightOf(tier) > 0)
    const each = Float64Array.from(tiers, weightOf)
    const open = each.map((weight, i) => weight * (counts[tiers[i] ?? 0] ?? 0))
    for (let sum = total(open); drawn.length < size && sum > 0; sum = total(open)) {
      const i = pick(open, stream.next() * sum)
      const tier = tiers[i] ?? 0
      drawn.push(sampler.take(tier, stream))
      open[i] = (each[i] ?? 0) * (counts[tier] ?? 0)
    }
  }
  drawFrom((tier) => weights[tier] ?? 0)
  const fill = size - drawn.length
  drawFrom(() => 1)
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
    const idAt = (i: number): string => pool[i]?.question_id ?? ""
    const order = canonicalOrder(pool.length, idAt)
    const rates = gatherNumbers(unordered, order)
    const own = rule.init(options)
    const tierOf = rule.firstTier ?? rule.tierOf
    const tiers = Int32Array.from(rates, (rate) => 2 * tierOf(own, rate))
    return {
      ids: gather(order, idAt),
      rates,
      segments: Segments.make(tiers, 2 * rule.weights(own).length),
      last: [],
      pending: false,
      step: 0,
      promptsPerStep: options.promptsPerStep,
      lastBatch: options.lastBatch,
      reuse: options.reuse ?? true,
      seed: Seed.child(options.seed, "weighted").bytes,
      own
    }
  }

  /** Lays the last batch to rest, where questions are drawn once. Changes `segments`. */
  const settle = (segments: Segments.Segments, state: State): void => {
    if (state.reuse || !state.pending) return
    for (const question of state.last) {
      const segment = Segments.segmentOf(segments, question)
      Segments.move(segments, question, segment, segment | 1)
    }
  }

  const settled = (state: State): Segments.Segments => {
    if (state.reuse || !state.pending) return state.segments
    const segments = Segments.copy(state.segments)
    settle(segments, state)
    return segments
  }

  const draw = (state: State): readonly [PlannedBatch, State] | undefined => {
    const segments = settled(state)
    const size = Math.min(state.promptsPerStep, total(waiting(segments)))
    if (size === 0 || (size < state.promptsPerStep && state.lastBatch === "drop")) return undefined
    const stream = Seed.stream(Seed.child({ bytes: state.seed }, state.step))
    const { drawn, fill } = drawBatch(segments, rule.weights(state.own), size, stream)
    const batch = {
      batch: state.step + 1,
      questions: drawn.map((question) => state.ids[question] ?? ""),
      targetMean: null,
      achievedMean: drawn.reduce((sum, question) => sum + (state.rates[question] ?? 0), 0) / size,
      fill
    }
    return [batch, { ...state, segments, last: drawn, pending: true, step: state.step + 1 }]
  }

  const observe = (state: State, outcomes: ReadonlyArray<Outcome>): State => {
    const index = new Map(state.last.map((question) => [state.ids[question] ?? "", question]))
    const segments = Segments.copy(state.segments)
    settle(segments, state)
    for (const { passed, question_id, scored } of outcomes) {
      const question = index.get(question_id)
      if (question === undefined) continue
      const from = Segments.segmentOf(segments, question)
      if (scored === 0) {
        Segments.move(segments, question, from, from & ~1)
        continue
      }
      Segments.move(segments, question, from, 2 * rule.tierOf(state.own, passed / scored) + (from & 1))
    }
    return { ...state, segments, pending: false }
  }

  const countsOf = (segments: Segments.Segments): Int32Array =>
    waiting(segments).map((count, tier) => count + Segments.size(segments, 2 * tier + 1))

  return {
    stateSchema: Schema.Struct({ ...common, own: rule.own }) as unknown as Schema.Codec<State, unknown>,
    init,
    draw,
    observe,
    target: () => null,
    metrics: (state) => {
      const segments = settled(state)
      const counts = countsOf(segments)
      const weights = rule.weights(state.own)
      return {
        "curriculum/step": state.step,
        "curriculum/left": total(waiting(segments)),
        "curriculum/starved": total(counts.filter((_, tier) => (weights[tier] ?? 0) <= 0)),
        ...rule.metrics?.(state.own, counts)
      }
    }
  }
}
