/** The report of a plan: every batch against its target, every pool until it is dry, and what that means in words. */
import type { PlannedBatch } from "@gradus/domain/Plan"
import type { PlanBatchRow, PlanDrawRow, PlanPoolRow, PlanReport } from "@gradus/domain/PlanReport"
import type { Target } from "./Batcher.ts"
import { passesOf } from "./Batchers.ts"
import { totalVariation, wasserstein } from "./Distance.ts"
import { type CurriculumPlan, plan, type PlanRequest } from "./Plan.ts"
import { planWarnings } from "./PlanWarnings.ts"
import * as Pools from "./PlanPools.ts"

const batchRow = (batch: PlannedBatch, target: Target | null, achieved: Pools.Composition): PlanBatchRow => {
  const size = batch.questions.length
  const had = { rates: achieved.rates, shares: Array.from(achieved.counts, (count) => count / size) }
  return {
    batch: batch.batch,
    questions: size,
    target_mean: batch.targetMean,
    achieved_mean: batch.achievedMean,
    sigma: target?.sigma ?? null,
    fill: batch.fill,
    fill_share: batch.fill / size,
    distance: target === null ? null : wasserstein(target, had),
    total_variation: target === null ? null : totalVariation(target, had)
  }
}

const drawRows = (
  batch: PlannedBatch,
  target: Target | null,
  achieved: Pools.Composition,
  left: ReadonlyMap<number, number>
): Array<PlanDrawRow> => {
  const wanted = new Map<number, number>()
  if (target !== null) {
    for (let j = 0; j < target.rates.length; j++) {
      const rate = target.rates[j] ?? 0
      wanted.set(rate, (wanted.get(rate) ?? 0) + (target.shares[j] ?? 0))
    }
  }
  return Array.from(achieved.rates, (rate, j) => ({
    batch: batch.batch,
    rate,
    wanted_share: target === null ? null : (wanted.get(rate) ?? 0),
    drawn: achieved.counts[j] ?? 0,
    left: left.get(rate) ?? 0
  }))
}

/** Plans, and reports on the plan. Costs a few numbers a batch and level beside the plan; throws as `plan` does. */
export const planReport = (
  request: PlanRequest,
  name: string = request.spec.batcher
): CurriculumPlan & { readonly report: PlanReport } => {
  const ledger = Pools.open(request.pool, request.spec.batcher === "gaussian" && request.spec.domains !== "ignore")
  const batches: Array<PlanBatchRow> = []
  const draws: Array<PlanDrawRow> = []
  const planned = plan(request, (batch, target) => {
    const achieved = Pools.take(ledger, batch)
    batches.push(batchRow(batch, target, achieved))
    for (const row of drawRows(batch, target, achieved, Pools.leftByRate(ledger))) draws.push(row)
  })
  const pools: ReadonlyArray<PlanPoolRow> = Pools.rows(ledger, passesOf(request.spec) > 1)
  const warnings = [...planned.notes, ...planWarnings(batches, pools)]
  return { ...planned, report: { format: 1, name, batches, pools, draws, warnings } }
}
