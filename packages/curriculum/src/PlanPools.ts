/** The pools of a plan while its batches are drawn: which level each question is at, and what is left of each. */
import type { PlannedBatch } from "@gradus/domain/Plan"
import type { PlanPoolRow } from "@gradus/domain/PlanReport"
import type { RatedQuestion } from "@gradus/domain/Profile"
import { maxLevels, ratesOf } from "./Levels.ts"

interface Pool {
  readonly domain: string
  readonly rate: number
  questions: number
  left: number
  first: number | null
  dry: number | null
}

/** Changes with every batch that is taken. */
export interface Ledger {
  readonly levelOf: ReadonlyMap<string, number>
  readonly pools: ReadonlyArray<Pool>
  readonly rates: Float64Array
}

/** What a batch holds by rate, all domains together. */
export interface Composition {
  readonly rates: Float64Array
  readonly counts: Int32Array
}

/** Opens the ledger of a pool. Rates are binned as batchers bin them. */
export const open = (pool: ReadonlyArray<RatedQuestion>, byDomain: boolean): Ledger => {
  const own = ratesOf(pool)
  const binned = new Set(own).size > maxLevels ? own.map((rate) => Math.round(rate * 64) / 64) : own
  const index = new Map<string, number>()
  const pools: Array<Pool> = []
  const levelOf = new Map<string, number>()
  pool.forEach((question, i) => {
    const rate = binned[i] ?? 0
    const domain = byDomain ? (question.domain ?? "") : ""
    const key = `${rate}/${domain}`
    const level = index.get(key) ?? pools.length
    if (level === pools.length) {
      index.set(key, level)
      pools.push({ domain, rate, questions: 0, left: 0, first: null, dry: null })
    }
    pools[level]!.questions += 1
    pools[level]!.left += 1
    levelOf.set(question.question_id, level)
  })
  return { levelOf, pools, rates: Float64Array.from(new Set(binned)).toSorted() }
}

/** Takes a batch out and says what it holds. A pool that questions are drawn from again never falls below 0. */
export const take = ({ levelOf, pools, rates }: Ledger, { batch, questions }: PlannedBatch): Composition => {
  const counts = new Int32Array(rates.length)
  const column = new Map(Array.from(rates, (rate, j) => [rate, j]))
  for (const id of questions) {
    const pool = pools[levelOf.get(id) ?? -1]
    if (pool === undefined) continue
    pool.first ??= batch
    pool.left = Math.max(0, pool.left - 1)
    if (pool.left === 0) pool.dry ??= batch
    counts[column.get(pool.rate) ?? 0]! += 1
  }
  return { rates, counts }
}

/** Counts what is left by rate. */
export const leftByRate = ({ pools }: Ledger): ReadonlyMap<number, number> => {
  const left = new Map<number, number>()
  for (const pool of pools) left.set(pool.rate, (left.get(pool.rate) ?? 0) + pool.left)
  return left
}

/** Lists the pools, by domain and rate. With questions that are drawn again no pool is ever dry. */
export const rows = ({ pools }: Ledger, again: boolean): ReadonlyArray<PlanPoolRow> =>
  pools
    .map(({ domain, dry, first, left, questions, rate }) => ({
      domain,
      rate,
      questions,
      first_batch: first,
      dry_after: again ? null : dry,
      left
    }))
    .toSorted((a, b) => (a.domain < b.domain ? -1 : a.domain > b.domain ? 1 : a.rate - b.rate))
