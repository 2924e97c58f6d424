/**
 * A latent-ability model of a policy that learns (simulation: no language model is run). A question has a difficulty b; the policy answers it with
 * probability sigma(theta(b) - b), where theta is its ability, a curve over difficulty. Policy gradient on this model: a completion with advantage A
 * and outcome y moves the ability at its difficulty by gain A (y - p), and, less, at difficulties near it. So groups that are all right or all wrong
 * teach nothing, and practice helps most just beyond what is mastered: what curricula are about, and nothing else of language models.
 */

/** Ability at knots that are equally spaced over difficulty; between them it is linear, beyond the ends it stays. */
export interface Ability {
  readonly low: number
  readonly high: number
  readonly knots: ReadonlyArray<number>
}

/** Makes an ability that is the same at all difficulties. */
export const flat = (level: number, low = -6, high = 6, knots = 49): Ability => ({
  low,
  high,
  knots: Array.from({ length: knots }, () => level)
})

/** Reads the ability at a difficulty. */
export const abilityAt = ({ high, knots, low }: Ability, difficulty: number): number => {
  const place = ((Math.min(high, Math.max(low, difficulty)) - low) / (high - low)) * (knots.length - 1)
  const at = Math.min(Math.floor(place), knots.length - 2)
  const share = place - at
  return (knots[at] ?? 0) * (1 - share) + (knots[at + 1] ?? 0) * share
}

/** Computes the probability of a right answer. */
export const passChance = (ability: Ability, difficulty: number): number =>
  1 / (1 + Math.exp(difficulty - abilityAt(ability, difficulty)))

/** One completion that is learnt from. */
export interface Lesson {
  readonly difficulty: number
  readonly advantage: number
  readonly right: boolean
}

export interface Learning {
  /** How far the ability moves for a mean signal of 1. */
  readonly gain: number
  /** Distance in difficulty over which practice carries over: the width of a Gaussian. */
  readonly reach: number
}

/** Learns from the lessons of one update; `completions` counts all of the update, also those without an advantage. */
export const learn = (
  ability: Ability,
  lessons: ReadonlyArray<Lesson>,
  completions: number,
  { gain, reach }: Learning
): Ability => {
  const { high, knots, low } = ability
  const spacing = (high - low) / (knots.length - 1)
  const push = new Float64Array(knots.length)
  for (const { advantage, difficulty, right } of lessons) {
    const signal = advantage * ((right ? 1 : 0) - passChance(ability, difficulty))
    const at = Math.min(high, Math.max(low, difficulty))
    for (let k = 0; k < push.length; k++) {
      push[k]! += signal * Math.exp(-(((low + k * spacing - at) / reach) ** 2) / 2)
    }
  }
  const scale = gain / Math.max(1, completions)
  return { ...ability, knots: knots.map((level, k) => level + scale * (push[k] ?? 0)) }
}

/** Imitates worked examples: the ability goes a share of the way to that of their author. */
export const imitate = (ability: Ability, author: number, share: number): Ability => ({
  ...ability,
  knots: ability.knots.map((level) => level + Math.max(0, author - level) * share)
})
