/** What a run's steps have served: the batch of a step over all its rounds, and what no step has served yet. Pure. */
import { needsOutcomes, passesOf } from "@gradus/curriculum/Batchers"
import type { JournalEvent, Refill } from "@gradus/domain/Journal"
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import type { PlannedBatch } from "@gradus/domain/Plan"
import type { RatedQuestion } from "@gradus/domain/Profile"

/** Puts the rounds of a step together: all questions that were asked, their mean pass rate, what the first draw aimed at. */
export const joinRounds = (first: PlannedBatch, refill: ReadonlyArray<Refill> = []): PlannedBatch => {
  const rounds = [first, ...refill.map((round) => round.batch)]
  const questions = rounds.flatMap((round) => round.questions)
  const sum = rounds.reduce((total, round) => total + round.achievedMean * round.questions.length, 0)
  return {
    ...first,
    questions,
    achievedMean: sum / questions.length,
    fill: rounds.reduce((total, round) => total + round.fill, 0)
  }
}

/** Lists the batches that the steps so far have asked, one a step. */
export const servedBatches = (events: ReadonlyArray<JournalEvent>): ReadonlyArray<PlannedBatch> =>
  events.flatMap((event) => {
    if (event._tag !== "step_generated" || event.batch === undefined) return []
    return joinRounds(event.batch, event.refill)
  })

/** Whether only a run can say all of its batches: the batcher learns from outcomes, a gate asks others, or a refresh begins anew. */
export const isOpen = ({ curriculum, gate, refresh }: Manifest): boolean =>
  needsOutcomes(curriculum) || gate !== undefined || refresh !== undefined

/** Lists a run's batches: those of its plan or, where only the run can say them, those that its steps have asked, from the first step on. */
export const batchesOf = (
  manifest: Manifest,
  events: ReadonlyArray<JournalEvent>,
  planned: ReadonlyArray<PlannedBatch>
): ReadonlyArray<PlannedBatch> => {
  const asked = isOpen(manifest) ? servedBatches(events) : []
  return asked.length === 0 ? planned : asked
}

/** Lists the questions of a pool that are still to be served: all of it for batchers that draw with replacement, else those without a scored group. */
export const leftAfter = (
  manifest: Manifest,
  pool: ReadonlyArray<RatedQuestion>,
  events: ReadonlyArray<JournalEvent>
): ReadonlyArray<RatedQuestion> => {
  if (passesOf(manifest.curriculum) > 1) return pool
  const gone = new Set<string>()
  for (const event of events) {
    if (event._tag !== "step_generated") continue
    for (const outcomes of [event.outcomes ?? [], ...(event.refill ?? []).map((round) => round.outcomes)])
      for (const { question_id, scored } of outcomes) if (scored > 0) gone.add(question_id)
  }
  return pool.filter(({ question_id }) => !gone.has(question_id))
}
