/** What a plan's figures mean, in words. */
import type { PlanBatchRow, PlanPoolRow } from "@gradus/domain/PlanReport"

const percent = (share: number): string => `${Math.round(share * 100)} %`
const rate = (value: number): string => value.toFixed(3).replace(/0+$/u, "").replace(/\.$/u, "")

/** The longest run of batches of which at least a quarter is fill; of equally long ones the last. */
const longestFill = (batches: ReadonlyArray<PlanBatchRow>): ReadonlyArray<PlanBatchRow> => {
  let longest: ReadonlyArray<PlanBatchRow> = []
  let run: Array<PlanBatchRow> = []
  for (const row of batches) {
    if (row.fill_share >= 0.25) run.push(row)
    else run = []
    if (run.length > 0 && run.length >= longest.length) longest = run
  }
  return longest
}

/** Says which batches are to a large part fill. One batch alone (a last one that is not full) is no reason. */
const mostlyFill = (batches: ReadonlyArray<PlanBatchRow>): Array<string> => {
  const rows = longestFill(batches)
  const [first, last] = [rows[0], rows.at(-1)]
  if (first === undefined || last === undefined || rows.length < 2) return []
  const questions = rows.reduce((sum, row) => sum + row.questions, 0)
  const fill = rows.reduce((sum, row) => sum + row.fill, 0)
  const where = last === batches.at(-1) ? `from batch ${first.batch} on` : `in batches ${first.batch} to ${last.batch}`
  return [`${where}, ${percent(fill / questions)} is fill: the levels that the target asks for are used up`]
}

/** Says where the achieved mean rises while the target falls. */
const rising = (batches: ReadonlyArray<PlanBatchRow>): Array<string> => {
  const odd = batches.filter((row, t) => {
    const before = batches[t - 1]
    if (before?.target_mean == null || row.target_mean === null || row.target_mean > before.target_mean) return false
    return row.achieved_mean > before.achieved_mean + 0.05
  })
  const worst = odd.toSorted((a, b) => b.achieved_mean - a.achieved_mean)[0]
  if (worst === undefined) return []
  const batch = batches[batches.indexOf(worst) - 1]
  return [
    `the mean pass rate rises against the target in ${odd.length} of ${batches.length} batches, most visibly from ${rate(batch?.achieved_mean ?? 0)} to ${rate(worst.achieved_mean)} in batch ${worst.batch}`
  ]
}

const farOff = (batches: ReadonlyArray<PlanBatchRow>): Array<string> => {
  const measured = batches.flatMap((row) => (row.distance === null ? [] : [row.distance]))
  if (measured.length === 0) return []
  const mean = measured.reduce((sum, distance) => sum + distance, 0) / measured.length
  return mean < 0.1
    ? []
    : [
        `a question stands ${rate(mean)} of pass rate off its target on average (Wasserstein-1): the pool does not hold what the curriculum asks for`
      ]
}

const oneLevel = (pools: ReadonlyArray<PlanPoolRow>): Array<string> => {
  const rates = new Set(pools.map((pool) => pool.rate))
  const [only] = rates
  return rates.size === 1 && only !== undefined
    ? [`all questions have the pass rate ${rate(only)}: every order of them is the same curriculum`]
    : []
}

/** Says which levels hold so much of the pool that the curriculum can hardly move. */
const dominant = (pools: ReadonlyArray<PlanPoolRow>): Array<string> => {
  const total = pools.reduce((sum, pool) => sum + pool.questions, 0)
  const byRate = new Map<number, number>()
  for (const pool of pools) byRate.set(pool.rate, (byRate.get(pool.rate) ?? 0) + pool.questions)
  if (byRate.size < 2) return []
  return [...byRate]
    .filter(([, questions]) => questions > total / 2)
    .map(([value, questions]) => `${percent(questions / total)} of the questions have the pass rate ${rate(value)}`)
}

const untouched = (pools: ReadonlyArray<PlanPoolRow>): Array<string> => {
  const never = pools.filter((pool) => pool.first_batch === null)
  const questions = never.reduce((sum, pool) => sum + pool.questions, 0)
  const names = never.map((pool) => `${rate(pool.rate)}${pool.domain === "" ? "" : ` (${pool.domain})`}`)
  return never.length === 0 ? [] : [`${questions} questions are never drawn, at the pass rates ${names.join(", ")}`]
}

/** Says what is odd about a plan; nothing for a plan that does what it is asked for. */
export const planWarnings = (
  batches: ReadonlyArray<PlanBatchRow>,
  pools: ReadonlyArray<PlanPoolRow>
): ReadonlyArray<string> => [
  ...oneLevel(pools),
  ...dominant(pools),
  ...mostlyFill(batches),
  ...farOff(batches),
  ...rising(batches),
  ...untouched(pools)
]
