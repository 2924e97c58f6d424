/**
 * The control of a filter: as many questions as it kept, drawn from all scored ones without looking at their rates. A curriculum on the kept
 * questions compared with the whole set would owe part of its gain to the smaller set.
 */
import type { RatedQuestion } from "@gradus/domain/Profile"
import type { Seed } from "@gradus/domain/Seed"
import { child, stream } from "@gradus/domain/Seed"
import { canonicalOrder } from "./CanonicalOrder.ts"
import type { Profiled } from "./Filter.ts"

/** Draws `size` scored questions (or all where there are fewer), evenly; by domain in the proportions of `like`, where that is given. */
export const unfilteredControl = (
  input: ReadonlyArray<Profiled>,
  size: number,
  seed: Seed,
  like?: ReadonlyArray<Pick<RatedQuestion, "domain">>
): ReadonlyArray<RatedQuestion> => {
  const scored = input.filter((row) => row.scored > 0)
  const order = canonicalOrder(scored.length, (i) => scored[i]?.question_id ?? "")
  stream(child(seed, "control")).shuffle(order)
  const wanted = like === undefined ? undefined : countBy(like)
  const chosen: Array<RatedQuestion> = []
  const take = (index: number): void => {
    const { domain, passed, question_id, scored: samples } = scored[index]!
    chosen.push(
      domain == null ? { question_id, passed, scored: samples } : { question_id, passed, scored: samples, domain }
    )
  }
  const rest: Array<number> = []
  for (const index of order) {
    const domain = scored[index]?.domain ?? ""
    const room = wanted === undefined ? size - chosen.length : (wanted.get(domain) ?? 0)
    if (room <= 0 || chosen.length >= size) rest.push(index)
    else {
      wanted?.set(domain, room - 1)
      take(index)
    }
  }
  // A domain that has fewer than its share is made up for by the others.
  for (const index of rest.slice(0, Math.max(0, size - chosen.length))) take(index)
  return chosen
}

const countBy = (rows: ReadonlyArray<Pick<RatedQuestion, "domain">>): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const { domain } of rows) counts.set(domain ?? "", (counts.get(domain ?? "") ?? 0) + 1)
  return counts
}
