/** What an accuracy rule says about an answer: a value in [0, 1], or why it cannot say. */
import type { UnscoredReason } from "@gradus/domain/Score"

export type Accuracy =
  | { readonly kind: "scored"; readonly value: number }
  | { readonly kind: "unscored"; readonly reason: UnscoredReason }
