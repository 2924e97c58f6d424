/** What all batchers over a deck share: the pass, the last batch, shuffling, questions that come back. A rule says the rest. */
import type { PlannedBatch } from "@gradus/domain/Plan"
import * as Seed from "@gradus/domain/Seed"
import * as Schema from "effect/Schema"
import type { Batcher, DrawOptions, Outcome, Target } from "./Batcher.ts"
import { drawSize, passLength } from "./Batcher.ts"
import * as Deck from "./Deck.ts"
import { CurriculumInvalid } from "./PoolInvalid.ts"

/** The fields of every state; `own` is the rule's. */
const common = {
  deck: Deck.Deck,
  /** Batches drawn. */
  step: Schema.Int,
  /** Those of them that refilled the step before: a path over steps does not move on by them. */
  refills: Schema.Int,
  /** Batches of a pass, or the steps asked for where these are fewer. */
  span: Schema.Int,
  promptsPerStep: Schema.Int,
  lastBatch: Schema.Literals(["partial", "drop"]),
  seed: Schema.Uint8ArrayFromHex
}

export interface DeckState<Own> {
  readonly deck: Deck.Deck
  readonly step: number
  readonly refills: number
  readonly span: number
  readonly promptsPerStep: number
  readonly lastBatch: "partial" | "drop"
  readonly seed: Uint8Array
  readonly own: Own
}

/** The step, from 0, of the batch that is drawn next: where paths over steps are. */
export const pathStep = ({ refills, step }: Pick<DeckState<unknown>, "refills" | "step">): number => step - refills

/** What a batch takes. */
export interface Choice {
  /** Questions by level; no more than `available`. */
  readonly take: ArrayLike<number>
  /** Those among them that the target did not ask for. */
  readonly fill: number
  readonly targetMean: number | null
}

export interface DeckRule<Own, Options extends DrawOptions> {
  readonly own: Schema.Codec<Own, unknown>
  /** Whether levels are told apart by domain. */
  readonly byDomain?: (options: Options) => boolean
  readonly init: (deck: Deck.Deck, options: Options, span: number) => Own
  /** Whether a level that runs dry starts anew, so that questions are drawn with replacement (never twice in a batch). */
  readonly again: (own: Own) => boolean
  /**
   * Chooses `size` questions among those available by level; `whole` is what the batch would have where enough were left. Random choices come from the
   * stream that `random` opens.
   */
  readonly choose: (
    state: DeckState<Own>,
    size: number,
    available: Int32Array,
    random: () => Seed.Stream,
    whole: number
  ) => Choice
  /** Changes the own state after a draw; `take` is what was taken. */
  readonly drawn?: (state: DeckState<Own>, take: ArrayLike<number>) => Own
  /** Makes a new deck of one that has served its pass; undefined: the pass was the last. */
  readonly next?: (state: DeckState<Own>, left: number) => DeckState<Own> | undefined
  readonly observe?: (state: DeckState<Own>, outcomes: ReadonlyArray<Outcome>) => Own
  readonly target?: (state: DeckState<Own>) => Target | null
  readonly metrics?: (state: DeckState<Own>) => Readonly<Record<string, number>>
}

const sum = (counts: Int32Array): number => counts.reduce((total, count) => total + count, 0)

/** Checks what every batcher is told. Throws `CurriculumInvalid`. */
export const checkOptions = ({ promptsPerStep, steps }: DrawOptions): void => {
  const whole = (key: string, value: number): void => {
    if (Number.isInteger(value) && value >= 1) return
    throw new CurriculumInvalid({ key, reason: `${value} is no whole number of at least 1` })
  }
  whole("train.prompts_per_step", promptsPerStep)
  if (steps !== undefined) whole("train.steps", steps)
}

/** Makes a batcher of a rule. */
export const deckBatcher = <Own, Options extends DrawOptions>(
  rule: DeckRule<Own, Options>
): Batcher<DeckState<Own>, Options> => {
  type State = DeckState<Own>
  const seedOf = (state: State, ...path: ReadonlyArray<string | number>): Seed.Seed =>
    Seed.child({ bytes: state.seed }, ...path)

  const init = (pool: Parameters<typeof Deck.make>[0], options: Options): State => {
    checkOptions(options)
    const deck = Deck.make(pool, options.seed, rule.byDomain?.(options) ?? false)
    const pass = passLength(pool.length, options)
    const span = Math.min(pass, options.steps ?? pass)
    return {
      deck,
      step: 0,
      refills: 0,
      span,
      promptsPerStep: options.promptsPerStep,
      lastBatch: options.lastBatch,
      seed: Seed.child(options.seed, "batch").bytes,
      own: rule.init(deck, options, span)
    }
  }

  /** The state from which the next batch is drawn, and what is available in it; undefined when there is no next batch. */
  const ready = (state: State, refill?: number): readonly [State, Int32Array, number] | undefined => {
    const available = rule.again(state.own) ? Deck.sizes(state.deck) : Deck.left(state.deck)
    const total = sum(available)
    const size = drawSize(total, state, refill)
    const next = rule.next?.(state, size === 0 ? 0 : total)
    if (next !== undefined) return ready(next, refill)
    return size === 0 ? undefined : [state, available, size]
  }

  const draw = (from: State, refill?: number): readonly [PlannedBatch, State] | undefined => {
    const found = ready(refill !== undefined && from.step > 0 ? { ...from, refills: from.refills + 1 } : from, refill)
    if (found === undefined) return undefined
    const [state, available, size] = found
    const random = (): Seed.Stream => Seed.stream(seedOf(state, "choice", state.step))
    const choice = rule.choose(state, size, available, random, refill ?? state.promptsPerStep)
    const [positions, deck] = Deck.draw(state.deck, choice.take, rule.again(state.own) ? seedOf(state) : undefined)
    const achievedMean = Deck.meanRate(deck, positions)
    Seed.stream(seedOf(state, state.step)).shuffle(positions)
    const batch = {
      batch: state.step + 1,
      questions: Deck.idsAt(deck, positions),
      targetMean: choice.targetMean,
      achievedMean,
      fill: choice.fill
    }
    const own = rule.drawn?.(state, choice.take) ?? state.own
    return [batch, { ...state, deck, own, step: state.step + 1 }]
  }

  return {
    // the type of `own` is the rule's, which a spread of fields forgets
    stateSchema: Schema.Struct({ ...common, own: rule.own }) as unknown as Schema.Codec<State, unknown>,
    init,
    draw,
    observe: (state, outcomes) => {
      const own = rule.observe?.(state, outcomes) ?? state.own
      return { ...state, own, deck: Deck.takeBack(state.deck, outcomes) }
    },
    target: (state) => {
      const found = ready(state)
      return found === undefined ? null : (rule.target?.(found[0]) ?? null)
    },
    metrics: (state) => ({
      "curriculum/left": sum(Deck.left(state.deck)),
      "curriculum/levels": state.deck.rates.length,
      "curriculum/distinct_rates": state.deck.distinct,
      "curriculum/returned": state.deck.returned.length,
      ...rule.metrics?.(state)
    })
  }
}
