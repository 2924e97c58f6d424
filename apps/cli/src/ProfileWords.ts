/** A profile from servers in words: how rates are spread, where the cut is, what could not be scored, what it cost. Pure. */
import { bounds } from "@gradus/curriculum/Estimate"
import type { Totals } from "@gradus/experiment/profiler/Tally"
import type { ServerReading } from "@gradus/inference/PoolServer"
import type { ProfileResult } from "./commands/ProfileServed.ts"

interface Prices {
  readonly priceIn?: number | undefined
  readonly priceOut?: number | undefined
}

/** What tokens cost, in the currency of the prices (for a million); null where no price is named. */
export const costOf = (prompt: number, completion: number, { priceIn, priceOut }: Prices): number | null =>
  priceIn === undefined && priceOut === undefined
    ? null
    : (prompt * (priceIn ?? 0) + completion * (priceOut ?? 0)) / 1_000_000

const grouped = (value: number): string => String(Math.round(value)).replaceAll(/\B(?=(\d{3})+$)/g, " ")

/** The words behind the progress: tokens, cost, failures, servers that are left out. */
export const progressNote = (totals: Totals, servers: ReadonlyArray<ServerReading>, prices: Prices): string => {
  const cost = costOf(totals.prompt_tokens, totals.completion_tokens, prices)
  const tokens = totals.prompt_tokens + totals.completion_tokens
  return [
    ...(tokens === 0 ? [] : [`${grouped(tokens)} tokens`]),
    ...(cost === null ? [] : [`cost ${cost.toFixed(2)}`]),
    ...(totals.failed === 0 ? [] : [`${totals.failed} failed`]),
    ...servers.flatMap(({ endpoint, state }) => (state === "ok" ? [] : [`${endpoint} is ${state}`]))
  ].join(", ")
}

const BAR = 40

const levelLines = ({ byLevel, cut, early, samples }: ProfileResult): ReadonlyArray<string> => {
  const most = Math.max(1, ...Object.values(byLevel))
  const width = String(samples).length
  const dropped =
    early === undefined
      ? []
      : [
          `  ${"early".padEnd(width * 2 + 7)}  ${String(early.dropped).padStart(7)}  dropped before all samples were asked`
        ]
  const lines = Object.entries(byLevel).map(([level, count]) => {
    const rate = (Number(level) / samples).toFixed(3)
    const bar = "█".repeat(Math.round((count / most) * BAR))
    const mark =
      cut.passes === Number(level) ? `  <- dropped from here: ${cut.drop_at} is ${cut.passes} of ${cut.of}` : ""
    return `  ${level.padStart(width)}/${samples}  ${rate}  ${String(count).padStart(7)}  ${bar}${mark}`.trimEnd()
  })
  return [...lines, ...dropped]
}

const intervalLine = ({ credible_level, prior, samples }: ProfileResult): string => {
  const { low } = bounds(samples, samples, credible_level)
  return `bounds: uniform prior Beta(${prior.join(", ")}), each side at ${credible_level}; ${samples} of ${samples} says a rate of at least ${low.toFixed(3)}`
}

const percent = (share: number): string => `${(share * 100).toFixed(share > 0 && share < 0.001 ? 3 : 1)} %`

const earlyLines = ({ early }: ProfileResult): ReadonlyArray<string> =>
  early === undefined
    ? []
    : [
        `decided early at ${early.certainty}: ${early.dropped} questions, ${early.saved} samples not asked (${percent(early.saved_share)}); ` +
          `expected to be wrongly dropped: ${percent(early.expected_misfiltered)} of all questions`,
        ...early.notes.map((note) => `  ${note}`)
      ]

const tokenLine = ({ completion_tokens, cost, prompt_tokens }: ProfileResult): string =>
  prompt_tokens + completion_tokens === 0
    ? "tokens: the servers do not say"
    : `tokens: ${grouped(prompt_tokens)} of prompts, ${grouped(completion_tokens)} of completions${cost === null ? "" : `, cost ${cost.toFixed(2)}`}`

/** Writes the result, one line after the other. */
export const profileWords = (result: ProfileResult): ReadonlyArray<string> => {
  const { asked, check, cut, empty, failed, output, questions, reused, samples, scored, seconds, truncated, unscored } =
    result
  const rate = seconds > 0 && asked > 0 ? ` (${Math.round(asked / seconds)} a second)` : ""
  const where = result.shared ? "found among the shared profiles" : `${asked} asked, ${reused} reused`
  return [
    `${questions} questions x ${samples} samples: ${where}, ${seconds.toFixed(1)} s${rate}`,
    ...levelLines(result),
    `kept ${cut.kept}, dropped ${cut.dropped["too_easy"] ?? 0} too easy, ${cut.dropped["below_floor"] ?? 0} below the floor, ${cut.dropped["unscored"] ?? 0} without a score`,
    `${scored} samples scored, ${unscored} unscored (${failed} of them could not be had), ${truncated} truncated, ${empty} empty`,
    ...(failed > 0 ? ["  ask for those again with --retry-failed; answers.jsonl says why each failed"] : []),
    `expected to be on the wrong side of the cut, by the posteriors: ${percent(cut.expected_misfiltered)} of the scored questions`,
    intervalLine(result),
    ...result.notes.map((note) => `  ${note}`),
    ...earlyLines(result),
    tokenLine(result),
    ...(check === undefined ? [] : [`check: ${check.verdict}`]),
    output
  ]
}
