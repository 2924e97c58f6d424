/** Composition: the parts of a score become one value. */
import type { OverlongSpec, RewardsSpec } from "@gradus/domain/manifest/Rewards"
import type { Components, UnscoredReason } from "@gradus/domain/Score"

/** A value, or why there is none. */
export interface Composed {
  readonly value: number | null
  readonly unscored?: UnscoredReason
}

/** What composing needs of a manifest. */
export type Composition = Pick<RewardsSpec, "compose" | "truncated" | "weights">

/**
 * Computes DAPO's soft overlong punishment for a completion of `tokens` tokens (arXiv 2503.14476, equation 13), with
 * `L = max_tokens` and `C = buffer`:
 *
 *     0                       where tokens <= L - C
 *     ((L - C) - tokens) / C  where L - C < tokens <= L
 *     -1                      where tokens > L
 *
 * times `weight`. In [-weight, 0].
 */
export const overlongPunishment = ({ max_tokens, buffer, weight }: OverlongSpec, tokens: number): number => {
  const free = max_tokens - buffer
  if (tokens <= free) return 0
  return tokens > max_tokens ? -weight : (weight * (free - tokens)) / buffer
}

const measured = ({ compose, weights }: Composition, { accuracy, format }: Components): number => {
  switch (compose) {
    case "product":
      return (accuracy ?? 1) * (format ?? 1)
    case "sum":
      return (weights?.accuracy ?? 1) * (accuracy ?? 0) + (weights?.format ?? 1) * (format ?? 0)
    case "gate":
      return (format ?? 1) >= 1 ? (accuracy ?? 1) : 0
  }
}

/**
 * Makes one value of the parts. `product` multiplies accuracy and format, as the paper's code does; `sum` adds them with their
 * weights (1 by default); `gate` lets accuracy count only where the format is kept in full. A part that is not measured is a
 * factor of 1 and a summand of 0. What is unscored stays unscored. A truncated completion is worth 0 under `zero` and
 * `mask` and counts in the baseline; under `soft` its length alone is punished, by the part `overlong`, which is added.
 */
export const compose = (
  composition: Composition,
  components: Components,
  truncated: boolean,
  unscored?: UnscoredReason
): Composed => {
  if (unscored !== undefined) return { value: null, unscored }
  if (truncated && composition.truncated !== "soft") return { value: 0 }
  return { value: measured(composition, components) + (components.overlong ?? 0) }
}

/** Says whether a completion's tokens are trained on: under `mask` a truncated one is left out of the loss (overlong filtering). */
export const inLoss = (rule: RewardsSpec["truncated"], truncated: boolean): boolean => rule !== "mask" || !truncated
