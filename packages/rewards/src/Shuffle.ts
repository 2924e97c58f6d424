/** The shuffled control: every completion gets the reward of another one of its batch, so nothing can be learnt from it. */
import { type Seed, stream } from "@gradus/domain/Seed"

/** Permutes the scored values of a whole batch, not within groups; null stays where it is. */
export const shuffleValues = (values: ReadonlyArray<number | null>, seed: Seed): ReadonlyArray<number | null> => {
  const shuffled = stream(seed).shuffle(values.filter((value) => value !== null))
  let next = 0
  return values.map((value) => (value === null ? null : (shuffled[next++] ?? null)))
}
