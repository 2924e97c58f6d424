/**
 * What the batchers share that weigh each question by its latest pass rate: the profile's at first, then that of its last scored group.
 * Questions lie in tiers of equal weight. A batch is drawn without replacement, each place falling on a waiting question with
 * probability proportional to its weight. No sort: a draw reads, and what is observed costs one copy of the order and a few steps a question.
 */
import type { PlannedBatch } from "@gradus/domain/Plan"
import type { RatedQuestion } from "@gradus/domain/Profile"
import * as Seed from "@gradus/domain/Seed"
import * as Schema from "effect/Schema"
import type { Batcher, DrawOptions, Outcome } from "./Batcher.ts"
import { drawSize } from "./Batcher.ts"
import { canonicalOrder } from "./CanonicalOrder.ts"
import { checkOptions } from "./DeckBatcher.ts"
import { gather, gatherNumbers, ratesOf } from "./Levels.ts"
import * as Segments from "./Segments.ts"
import { Float64s, Int32s } from "./TypedArrays.ts"

export interface WeightedOptions extends DrawOptions {
  /** Whether questions are drawn with replacement over the steps (absent), or each once in a pass (false). */
  readonly reuse?: boolean | undefined
}

const common = {
  /** Questions in canonical order. */
  ids: Schema.Array(Schema.String),
  /** The profile's pass rate of each, for the means of batches; the latest rate decides the tier alone. */
  rates: Float64s,
  /** With reuse segment t holds tier t's questions; without, segment 2 t those that wait and 2 t + 1 those that were drawn in this pass and rest. */
  segments: Segments.Segments,
  /** The places of the last batch, and whether it still stands among the waiting: a draw changes no array, the next call settles it. */
  last: Int32s,
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
  readonly last: Int32Array
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

/** Segments of a tier: questions that are drawn again never rest, and half as many segments are half as many swaps a move. */
const strideOf = ({ reuse }: { readonly reuse: boolean }): 1 | 2 => (reuse ? 1 : 2)

/** Counts waiting questions by tier. */
const waiting = (segments: Segments.Segments, stride: number): Int32Array =>
  Int32Array.from({ length: (segments.bounds.length - 1) / stride }, (_, tier) =>
    Segments.size(segments, stride * tier)
  )

const total = (counts: ArrayLike<number>): number => {
  let sum = 0
  for (let i = 0; i < counts.length; i++) sum += counts[i] ?? 0
  return sum
}

/** Draws places of members of segments without replacement and without changing them: a Fisher-Yates shuffle whose swaps are kept in a map. */
class Sampler {
  readonly moved = new Map<number, number>()
  readonly segments: Segments.Segments
  readonly stride: number
  readonly counts: Int32Array
  constructor(segments: Segments.Segments, stride: number) {
    this.segments = segments
    this.stride = stride
    this.counts = waiting(segments, stride)
  }
  take(tier: number, stream: Seed.Stream): number {
    const from = this.segments.bounds[this.stride * tier] ?? 0
    const count = this.counts[tier] ?? 1
    const chosen = from + stream.below(count)
    const last = from + count - 1
    const place = this.moved.get(chosen) ?? chosen
    this.moved.set(chosen, this.moved.get(last) ?? last)
    this.counts[tier] = count - 1
    return place
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

/** Draws the places of `size` waiting questions: those of tiers with a weight, then, as fill, any. */
const drawBatch = (sampler: Sampler, weights: Float64Array, size: number, stream: Seed.Stream) => {
  const drawn = new Int32Array(size)
  let length = 0
  const { counts } = sampler
  const drawFrom = (weightOf: (tier: number) => number): void => {
    const tiers = Int32Array.from(counts.keys()).filter((tier) => (counts[tier] ?? 0) > 0 && weightOf(tier) > 0)
    const each = Float64Array.from(tiers, weightOf)
    const open = each.map((weight, i) => weight * (counts[tiers[i] ?? 0] ?? 0))
    for (let sum = total(open); length < size && sum > 0; sum = total(open)) {
      const i = pick(open, stream.next() * sum)
      const tier = tiers[i] ?? 0
      drawn[length++] = sampler.take(tier, stream)
      open[i] = (each[i] ?? 0) * (counts[tier] ?? 0)
    }
  }
  drawFrom((tier) => weights[tier] ?? 0)
  const fill = size - length
  drawFrom(() => 1)
  return { drawn, fill }
}

/** Finds the place in the last batch of a question. Outcomes that come in the order of the batch, as loops give them, need no index. */
const finder = (ids: ReadonlyArray<string>) => {
  let index: Map<string, number> | undefined
  return (id: string, expected: number): number | undefined => {
    if (ids[expected] === id) return expected
    index ??= new Map(ids.map((own, i) => [own, i]))
    return index.get(id)
  }
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
    const reuse = options.reuse ?? true
    const stride = strideOf({ reuse })
    const tiers = Int32Array.from(rates, (rate) => stride * tierOf(own, rate))
    return {
      ids: gather(order, idAt),
      rates,
      segments: Segments.make(tiers, stride * rule.weights(own).length),
      last: new Int32Array(0),
      pending: false,
      step: 0,
      promptsPerStep: options.promptsPerStep,
      lastBatch: options.lastBatch,
      reuse,
      seed: Seed.child(options.seed, "weighted").bytes,
      own
    }
  }

  /** Lays the last batch to rest, where questions are drawn once. */
  const settled = ({ last, pending, reuse, segments }: State): Segments.Segments => {
    if (reuse || !pending) return segments
    const rest = last.map((place) => Segments.segmentAt(segments, place) | 1)
    return Segments.rearrange(segments, last, rest).segments
  }

  const draw = (state: State, refill?: number): readonly [PlannedBatch, State] | undefined => {
    const segments = settled(state)
    const sampler = new Sampler(segments, strideOf(state))
    const size = drawSize(total(sampler.counts), state, refill)
    if (size === 0) return undefined
    const stream = Seed.stream(Seed.child({ bytes: state.seed }, state.step))
    const { drawn, fill } = drawBatch(sampler, rule.weights(state.own), size, stream)
    const batch = {
      batch: state.step + 1,
      questions: Array.from(drawn, (place) => state.ids[segments.order[place] ?? 0] ?? ""),
      targetMean: null,
      achievedMean: drawn.reduce((sum, place) => sum + (state.rates[segments.order[place] ?? 0] ?? 0), 0) / size,
      fill
    }
    return [batch, { ...state, segments, last: drawn, pending: true, step: state.step + 1 }]
  }

  const observe = (state: State, outcomes: ReadonlyArray<Outcome>): State => {
    const { ids, last, own, pending, reuse, segments } = state
    const stride = strideOf(state)
    const find = finder(Array.from(last, (place) => ids[segments.order[place] ?? 0] ?? ""))
    const lay = pending && !reuse ? 1 : 0
    const to = last.map((place) => Segments.segmentAt(segments, place) | lay)
    for (let i = 0; i < outcomes.length; i++) {
      const { passed, question_id, scored } = outcomes[i]!
      const at = find(question_id, i)
      if (at === undefined) continue
      const from = to[at] ?? 0
      const rest = from % stride
      to[at] = scored === 0 ? from - rest : stride * rule.tierOf(own, passed / scored) + rest
    }
    const { places, segments: now } = Segments.rearrange(segments, last, to)
    return { ...state, segments: now, last: places, pending: false }
  }

  const countsOf = (segments: Segments.Segments, stride: number): Int32Array =>
    waiting(segments, stride).map((count, tier) =>
      stride === 1 ? count : count + Segments.size(segments, stride * tier + 1)
    )

  return {
    // the type of `own` is the rule's, which a spread of fields forgets
    stateSchema: Schema.Struct({ ...common, own: rule.own }) as unknown as Schema.Codec<State, unknown>,
    init,
    draw,
    observe,
    target: () => null,
    metrics: (state) => {
      const segments = settled(state)
      const stride = strideOf(state)
      const counts = countsOf(segments, stride)
      const weights = rule.weights(state.own)
      return {
        "curriculum/left": total(waiting(segments, stride)),
        "curriculum/starved": total(counts.filter((_, tier) => (weights[tier] ?? 0) <= 0)),
        ...rule.metrics?.(state.own, counts)
      }
    }
  }
}
