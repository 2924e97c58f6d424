/**
 * The Gaussian batcher (paper, section 1): each batch is drawn by a normal distribution over pass rates whose centre falls from easy to
 * hard, limited by what is left at each rate, and filled from the largest pools. With several domains each batch holds their ratios
 * (as Nemotron 3 Nano does), and the distribution applies in each domain.
 */
import * as Seed from "@gradus/domain/Seed"
import * as Schema from "effect/Schema"
import { allocate, gaussianShares, largestRemainder, tieRanks } from "../Allocation.ts"
import type { DrawOptions, Target } from "../Batcher.ts"
import { passLength } from "../Batcher.ts"
import * as Deck from "../Deck.ts"
import { type Choice, deckBatcher, type DeckRule, type DeckState, pathStep } from "../DeckBatcher.ts"
import { potentials } from "../Balance.ts"
import { quotas, ratiosOf } from "../DomainQuota.ts"
import { bend, progress, quantileCentre, width } from "../Schedule.ts"
import { Float64s, Int32s } from "../TypedArrays.ts"

export interface GaussianOptions extends DrawOptions {
  /** Width of the target distribution, in pass rate. */
  readonly sigma: number
  /** Width in the last batch of a pass, reached linearly; absent: the width stays. */
  readonly sigmaEnd?: number | undefined
  /** Path of the centre; absent: linear. `quantile` uses neither start nor end. */
  readonly centre?: "linear" | "cosine" | "root" | "step" | "quantile" | undefined
  /** Stairs of the step path; absent: 4. */
  readonly stairs?: number | undefined
  /** First and last centre; absent: the highest and the lowest pass rate of the pool. */
  readonly start?: number | undefined
  readonly end?: number | undefined
  /** How often the centre goes from start to end; absent: once. */
  readonly epochs?: number | undefined
  /** With several epochs: whether every epoch serves the whole pool again. Absent or false: the epochs share the pool, nothing comes twice. */
  readonly reuse?: boolean | undefined
  /** Ratios of the domains in each batch: the pool's (absent), given ones, or domains are not told apart. */
  readonly domains?: "pool" | "ignore" | Readonly<Record<string, number>> | undefined
}

const Own = Schema.Struct({
  sigma: Schema.Finite,
  sigmaEnd: Schema.NullOr(Schema.Finite),
  path: Schema.Literals(["linear", "cosine", "root", "step", "quantile"]),
  stairs: Schema.Int,
  start: Schema.Finite,
  end: Schema.Finite,
  epochs: Schema.Int,
  reuse: Schema.Boolean,
  /** True when the steps asked for are fewer than the passes have: an epoch then ends after its span, full pool or not. */
  capped: Schema.Boolean,
  /** Batches over which the centre goes from start to end once. */
  span: Schema.Int,
  epoch: Schema.Int,
  /** The step at which the present epoch began, and the questions of the deck that were spent by then. */
  began: Schema.Int,
  gone: Schema.Int,
  ratios: Float64s,
  /** Questions drawn of each domain. */
  had: Int32s,
  /** The quantile path's: potentials that balance the target with the pool, and what its batches have asked of each level less what they took. */
  potentials: Float64s,
  owed: Float64s
})
type Own = typeof Own.Type
export type GaussianState = DeckState<Own>

const byDomain = ({ domains }: Deck.Deck, domainOf: Int32Array, counts: Int32Array): Int32Array => {
  const out = new Int32Array(domains.length)
  for (let j = 0; j < counts.length; j++) out[domainOf[j] ?? 0]! += counts[j] ?? 0
  return out
}

const initOwn = (deck: Deck.Deck, options: GaussianOptions): Own => {
  const { epochs = 1, reuse = false } = options
  const counts = Deck.sizes(deck)
  const passes = passLength(deck.ids.length, options) * (reuse ? epochs : 1)
  const total = Math.min(passes, options.steps ?? passes)
  const sorted = deck.rates.toSorted()
  const stated = options.domains === undefined || options.domains === "ignore" ? "pool" : options.domains
  // an empty pool gives no batch, and is no reason to refuse a ratio
  const domains = deck.ids.length === 0 ? "pool" : stated
  return {
    sigma: options.sigma,
    sigmaEnd: options.sigmaEnd ?? null,
    path: options.centre ?? "linear",
    stairs: options.stairs ?? 4,
    start: options.start ?? sorted.at(-1) ?? 0,
    end: options.end ?? sorted[0] ?? 0,
    epochs,
    reuse,
    capped: total < passes,
    span: Math.ceil(total / epochs),
    epoch: 0,
    began: 0,
    gone: 0,
    ratios: ratiosOf(deck.domains, byDomain(deck, deck.domainOf, counts), domains),
    had: new Int32Array(deck.domains.length),
    potentials: new Float64Array(0),
    owed: new Float64Array(deck.rates.length)
  }
}

/** Balances the targets of a pass with the levels of each domain. Only the quantile path promises that nothing is left over. */
const balanced = (deck: Deck.Deck, own: Own): Own => {
  if (own.path !== "quantile") return own
  const all = new Float64Array(deck.rates.length)
  const counts = Deck.sizes(deck)
  deck.domains.forEach((_, domain) => {
    const levels = levelsOfDomain(deck, domain)
    const rates = levels.map((j) => deck.rates[j] ?? 0)
    const held = levels.map((j) => counts[j] ?? 0)
    const found = potentials(rates, held, own.span, (step) => ({
      centre: quantileCentre(rates, held, step, own.span),
      sigma: width(own.sigma, own.sigmaEnd, progress(step, own.span))
    }))
    levels.forEach((level, j) => (all[level] = found[j] ?? 0))
  })
  return { ...own, potentials: all }
}

const spent = ({ deck }: GaussianState): number => deck.ids.length - Deck.left(deck).reduce((sum, n) => sum + n, 0)

/**
 * Steps since the present fall of the centre began. A gate spends more questions a step than a batch has: where the pool ends the fall, and not the steps
 * that are stated, it goes as the pool does.
 */
const age = (state: GaussianState): number => {
  const { own, promptsPerStep } = state
  const steps = pathStep(state) - own.began
  return own.capped || state.refills === 0
    ? steps
    : Math.max(steps, Math.floor((spent(state) - own.gone) / promptsPerStep))
}

/** Computes the centre of the batch that is drawn next; after the last step of the span it stays at the end. */
export const centre = (state: GaussianState, domain = 0): number => {
  const { deck, own } = state
  if (own.path !== "quantile") {
    return own.start + (own.end - own.start) * bend(own.path, progress(age(state), own.span), own.stairs)
  }
  const levels = levelsOfDomain(deck, domain)
  const counts = Deck.sizes(deck)
  return quantileCentre(
    levels.map((j) => deck.rates[j] ?? 0),
    levels.map((j) => counts[j] ?? 0),
    age(state),
    own.span
  )
}

/** Computes the mean centre over the domains, weighed by their ratios; one domain has its own. */
const meanCentre = (state: GaussianState): number =>
  state.own.ratios.reduce((sum, ratio, domain) => sum + ratio * centre(state, domain), 0)

const sigmaOf = (state: GaussianState): number =>
  width(state.own.sigma, state.own.sigmaEnd, progress(age(state), state.own.span))

const levelsOfDomain = ({ domainOf }: Deck.Deck, domain: number): Array<number> => {
  const levels: Array<number> = []
  for (let j = 0; j < domainOf.length; j++) if (domainOf[j] === domain) levels.push(j)
  return levels
}

/** Picks the values of some levels; of all levels, as where there is one domain, it is the array itself. */
const pick = (values: Float64Array | Int32Array, levels: ReadonlyArray<number>): ArrayLike<number> =>
  levels.length === values.length ? values : levels.map((level) => values[level] ?? 0)

/** The target's shares of the levels of a domain. */
const sharesIn = (state: GaussianState, levels: ReadonlyArray<number>, mu: number): Float64Array => {
  const { deck, own } = state
  const given = own.path === "quantile" ? pick(own.potentials, levels) : undefined
  return gaussianShares(pick(deck.rates, levels), mu, sigmaOf(state), given)
}

/**
 * What a batch of the balanced target takes: its own shares and what earlier batches asked for and rounding did not give (a level of which every batch wants
 * a third of a question would else get none), limited by what is left. Fill is what even its own shares cannot have.
 */
const balancedPart = (
  owed: ArrayLike<number>,
  size: number,
  shares: Float64Array,
  left: ArrayLike<number>,
  ranks: Int32Array
) => {
  const limited = (wanted: number, j: number): number => Math.min(left[j] ?? 0, Math.max(0, wanted))
  const demand = shares.map((share, j) => limited((owed[j] ?? 0) + size * share, j))
  const open = size - demand.reduce((sum, count) => sum + count, 0)
  const raised = open > 0 ? demand.map((count, j) => limited(count + open * (shares[j] ?? 0), j)) : demand
  const total = raised.reduce((sum, count) => sum + count, 0)
  const parts = raised.map((count) => count / total)
  const asked = Math.min(size, Math.round(total))
  const wanted = total > 0 ? largestRemainder(asked, parts, ranks) : new Int32Array(left.length)
  return allocate(size, wanted, left, ranks)
}

/** Allocates a domain's part of a batch over its levels. */
const chooseIn = (state: GaussianState, domain: number, size: number, available: Int32Array) => {
  const { deck, own } = state
  const levels = levelsOfDomain(deck, domain)
  const mu = centre(state, domain)
  const ranks = tieRanks(pick(deck.rates, levels), mu)
  const shares = sharesIn(state, levels, mu)
  const left = pick(available, levels)
  if (own.path === "quantile") {
    const owed = pick(own.owed, levels)
    return { levels, mu, ...balancedPart(owed, size, shares, left, ranks) }
  }
  return { levels, mu, ...allocate(size, largestRemainder(size, shares, ranks), left, ranks) }
}

/** Shares a whole batch out, also where fewer are left: the last batch aims at what a full one would. */
const domainSizes = ({ deck, own }: GaussianState, whole: number, available: Int32Array): Int32Array =>
  deck.domains.length === 1
    ? Int32Array.of(whole)
    : quotas(whole, own.ratios, own.had, byDomain(deck, deck.domainOf, available))

const choose: DeckRule<Own, GaussianOptions>["choose"] = (state, size, available, _random, whole): Choice => {
  const take = new Int32Array(available.length)
  let fill = 0
  let weighted = 0
  domainSizes(state, whole, available).forEach((count, domain) => {
    if (count === 0) return
    const part = chooseIn(state, domain, count, available)
    part.levels.forEach((level, j) => (take[level] = part.take[j] ?? 0))
    fill += part.fill
    weighted += part.mu * count
  })
  return { take, fill, targetMean: state.deck.domains.length === 1 ? centre(state) : weighted / size }
}

const target = (state: GaussianState): Target => {
  const { deck, own } = state
  const shares = new Float64Array(deck.rates.length)
  const sigma = sigmaOf(state)
  deck.domains.forEach((_, domain) => {
    const levels = levelsOfDomain(deck, domain)
    const ratio = own.ratios[domain] ?? 0
    sharesIn(state, levels, centre(state, domain)).forEach((share, j) => (shares[levels[j] ?? 0] = share * ratio))
  })
  return { rates: deck.rates, shares, sigma }
}

/** What the levels are owed after a batch; nothing is carried but by the quantile path. */
const owedAfter = (state: GaussianState, take: ArrayLike<number>): Float64Array => {
  const { deck, own } = state
  if (own.path !== "quantile") return own.owed
  const owed = own.owed.slice()
  deck.domains.forEach((_, domain) => {
    const levels = levelsOfDomain(deck, domain)
    const size = levels.reduce((sum, level) => sum + (take[level] ?? 0), 0)
    sharesIn(state, levels, centre(state, domain)).forEach((share, j) => {
      const level = levels[j] ?? 0
      owed[level]! += size * share - (take[level] ?? 0)
    })
  })
  return owed
}

/** Begins the next epoch where the present one is over. */
const next = (state: GaussianState, left: number): GaussianState | undefined => {
  const { deck, own } = state
  if (own.epoch + 1 >= own.epochs) return undefined
  const over = own.reuse && left === 0 ? true : (own.capped || !own.reuse) && age(state) >= own.span
  if (!over || deck.ids.length === 0) return undefined
  const moved = {
    ...own,
    epoch: own.epoch + 1,
    began: pathStep(state),
    gone: own.reuse ? 0 : spent(state),
    owed: own.reuse ? own.owed.map(() => 0) : own.owed
  }
  return own.reuse
    ? { ...state, own: moved, deck: Deck.refill(deck, Seed.child({ bytes: state.seed }, "epoch", moved.epoch)) }
    : { ...state, own: moved }
}

/** Serves a pool by the paper's Gaussian curriculum; the span of the centre is `min(steps, batches of one pass)` over the epochs. */
export const gaussian = deckBatcher<Own, GaussianOptions>({
  own: Own,
  byDomain: ({ domains }) => domains !== "ignore",
  init: (deck, options) => balanced(deck, initOwn(deck, options)),
  again: () => false,
  choose,
  drawn: (state, take) => {
    const { deck, own } = state
    const had = own.had.slice()
    for (let j = 0; j < take.length; j++) had[deck.domainOf[j] ?? 0]! += take[j] ?? 0
    return { ...own, had, owed: owedAfter(state, take) }
  },
  next,
  target,
  metrics: (state) => ({
    "curriculum/centre": meanCentre(state),
    "curriculum/sigma": sigmaOf(state),
    "curriculum/epoch": state.own.epoch + 1
  })
})
