/** A run's standing as text: the lines of a frame, or one line where there is no terminal. Pure. */
import type { SetStanding, Standing } from "@gradus/experiment/Standing"
import { clock } from "./ProgressLine.ts"

/** A run's name or a set's is somebody's text: nothing of it may steer the terminal. */
const plain = (text: string): string => text.replaceAll(/\p{C}/gu, "?")

const percent = (value: number | null | undefined): string =>
  value === null || value === undefined ? "-" : `${(100 * value).toFixed(1)} %`
const decimals = (value: number | null | undefined, places: number): string => value?.toFixed(places) ?? "-"

const BLOCKS = "▁▂▃▄▅▆▇█"

/** Draws the last values between their lowest and their highest, one character each. */
export const sparkline = (values: ReadonlyArray<number | null>, width: number): string => {
  const shown = values.slice(-width)
  const present = shown.filter((value) => value !== null)
  const [low, high] = [Math.min(...present), Math.max(...present)]
  const of = (value: number): string =>
    BLOCKS[high === low ? 3 : Math.round(((value - low) / (high - low)) * (BLOCKS.length - 1))] ?? ""
  return shown.map((value) => (value === null ? " " : of(value))).join("")
}

const BAR = 24
const bar = (share: number): string => "█".repeat(Math.round(BAR * share)).padEnd(BAR, "░")

const MARK = { done: "✓", reused: "✓", now: "…", waiting: "·" } as const

const paceWords = ({ finished, secondsPerStep, step, steps }: Standing): ReadonlyArray<string> => {
  if (secondsPerStep === null || secondsPerStep <= 0) return []
  const rate = 1 / secondsPerStep
  const left = finished || steps === null ? [] : [`${clock((steps - step) * secondsPerStep)} left`]
  return [`${rate >= 10 ? rate.toFixed(0) : rate.toFixed(2)} steps/s`, ...left]
}

const accuracyWords = ({ first, last, set, step }: SetStanding): string =>
  `${plain(set)} ${percent(first)} -> ${percent(last)} (step ${step})`

const phaseWords = ({ phases, secondsPerStep }: Standing): string =>
  secondsPerStep === null
    ? "-"
    : Object.entries(phases)
        .toSorted(([, a], [, b]) => b - a)
        .map(([name, seconds]) => `${plain(name)} ${Math.round((100 * seconds) / secondsPerStep)} %`)
        .join(", ")

const stateWords = (standing: Standing, now: number): string => {
  if (standing.finished) return "finished"
  const { changed } = standing
  return changed === null ? "not finished" : `last written ${clock((now - changed) / 1000)} ago`
}

/** Names that are wider than the others would move their values. */
const row = (name: string, value: string): string => `${name.padEnd(11)}${value}`

/** Writes a frame of at most `columns` characters a line. `now` is in ms. */
export const frame = (standing: Standing, now: number, columns: number): ReadonlyArray<string> => {
  const { metrics, reward, step, steps } = standing
  const of = (name: string): number | null | undefined => metrics[name]
  const share = steps === null || steps === 0 ? null : step / steps
  const lines = [
    `${plain(standing.run)}${standing.simulated ? " (simulation)" : ""}: ${stateWords(standing, now)}`,
    `seed ${standing.seed}, ${standing.batcher}, attempt ${standing.attempt}`,
    row("stages", standing.stages.map(({ stage, state }) => `${stage} ${MARK[state]}`).join("  ")),
    row(
      "steps",
      [`${step}/${steps ?? "?"}${share === null ? "" : ` ${bar(share)}`}`, ...paceWords(standing)].join(", ")
    ),
    row("reward", `${decimals(reward.at(-1), 3)} ${sparkline(reward, Math.max(0, columns - 18))}`),
    row(
      "pass rate",
      `${decimals(of("group_pass_rate"), 3)} measured, ${decimals(of("plan/achieved_mean"), 3)} drawn, ${decimals(of("plan/target_mean"), 3)} target`
    ),
    ...standing.accuracy.map((one, i) => row(i === 0 ? "accuracy" : "", accuracyWords(one))),
    row(
      "groups",
      `${percent(of("frac_reward_zero_std"))} without variance, ${decimals(of("unscored"), 0)} completions unscored`
    ),
    row(
      "length",
      `${decimals(of("completions/mean_length"), 1)} tokens, ${percent(of("completions/clipped_ratio"))} cut at the limit`
    ),
    row("time", phaseWords(standing))
  ]
  // every character that is left is one cell wide, but for a name's
  return lines.map((line) => [...line].slice(0, columns).join(""))
}

/** Writes the standing as one line. */
export const plainLine = (standing: Standing): string => {
  const { accuracy, finished, metrics, reward, stages, step, steps } = standing
  const now = stages.find(({ state }) => state === "now")?.stage
  return [
    finished ? "finished" : (now ?? "not begun"),
    `${step}/${steps ?? "?"} steps`,
    ...paceWords(standing),
    `reward ${decimals(reward.at(-1), 3)}`,
    `pass rate ${decimals(metrics["group_pass_rate"], 2)} (target ${decimals(metrics["plan/target_mean"], 2)})`,
    ...accuracy.map(({ last, set }) => `${plain(set)} ${percent(last)}`)
  ].join(", ")
}
