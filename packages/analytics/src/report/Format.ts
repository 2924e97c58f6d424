/** Numbers as the report writes them. */
import { binomialStandardError } from "../Statistics.ts"

/** The sign for a value that is not there. */
export const ABSENT = "–"

/** Writes a share as percent with one decimal: "88.7 %". */
export const percent = (share: number | null): string => (share === null ? ABSENT : `${(share * 100).toFixed(1)} %`)

/** Writes a share with its binomial standard error in points: "88.7 ± 1.0 %". */
export const percentWithError = (share: number | null, samples: number): string => {
  if (share === null) return ABSENT
  const error = binomialStandardError(share, samples)
  return error === null ? percent(share) : `${(share * 100).toFixed(1)} ± ${(error * 100).toFixed(1)} %`
}

/** Writes a difference of shares in points: "+53.3". */
export const points = (difference: number): string =>
  `${difference < 0 ? "−" : "+"}${Math.abs(difference * 100).toFixed(1)}`

/** Writes seconds: "0.42 s", "57.3 s", "1 min 21 s", "2 h 05 min". */
export const duration = (seconds: number): string => {
  if (seconds < 10) return `${seconds.toFixed(2)} s`
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`
  const minutes = Math.round(whole / 60)
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`
}

/** Writes bytes in GiB with one decimal. */
export const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`

/** Writes an integer in groups of three. */
export const count = (value: number): string => String(value).replaceAll(/\B(?=(\d{3})+$)/g, "\u202f")
