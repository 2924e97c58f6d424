/** Reports of plans, as literal rows: 12 batches over six levels of which the hard ones are many, and a random order of the same. */
import type { PlanReport } from "@gradus/domain/PlanReport"

const RATES = [0, 0.125, 0.25, 0.375, 0.5, 0.625]
const POOL = [60, 40, 30, 30, 40, 40]
const BATCHES = 12
const SIZE = 20

/** Takes a batch level by level in an order of levels; what is left is counted down. */
const taken = (left: Array<number>, order: ReadonlyArray<number>): ReadonlyArray<number> => {
  let missing = SIZE
  const drawn = RATES.map(() => 0)
  for (const level of order) {
    const count = Math.min(missing, left[level] ?? 0, level === order[0] ? 12 : SIZE)
    drawn[level] = count
    left[level]! -= count
    missing -= count
  }
  return drawn
}

const reportOf = (name: string, orderAt: (batch: number) => ReadonlyArray<number>, aims: boolean): PlanReport => {
  const left = [...POOL]
  const batches: Array<PlanReport["batches"][number]> = []
  const draws: Array<PlanReport["draws"][number]> = []
  for (let batch = 1; batch <= BATCHES; batch++) {
    const drawn = taken(left, orderAt(batch))
    const mean = drawn.reduce((sum, count, j) => sum + count * (RATES[j] ?? 0), 0) / SIZE
    const fill = aims ? Math.max(0, batch - 8) * 4 : 0
    batches.push({
      batch,
      questions: SIZE,
      target_mean: aims ? 0.625 * (1 - (batch - 1) / (BATCHES - 1)) : null,
      achieved_mean: mean,
      sigma: aims ? 0.12 : null,
      fill,
      fill_share: fill / SIZE,
      distance: aims ? 0.02 * batch : null,
      total_variation: aims ? 0.05 * batch : null
    })
    RATES.forEach((rate, j) =>
      draws.push({ batch, rate, wanted_share: aims ? 1 / 6 : null, drawn: drawn[j] ?? 0, left: left[j] ?? 0 })
    )
  }
  const pools = RATES.map((rate, j) => ({
    domain: "",
    rate,
    questions: POOL[j] ?? 0,
    first_batch: 1,
    dry_after: BATCHES,
    left: 0
  }))
  return { format: 1, name, batches, pools, draws, warnings: [] }
}

const easyFirst = (batch: number): ReadonlyArray<number> => {
  const start = Math.max(0, 5 - Math.floor((batch - 1) / 2))
  return [start, 5, 4, 3, 2, 1, 0].filter((level, i, all) => all.indexOf(level) === i)
}

export const gaussianReport = (): PlanReport => reportOf("gaussian", easyFirst, true)
export const uniformReport = (): PlanReport =>
  reportOf("uniform", (batch) => RATES.map((_, j) => (j + batch) % RATES.length), false)
export const emptyReport: PlanReport = { format: 1, name: "empty", batches: [], pools: [], draws: [], warnings: [] }
