/** Reads a Retry-After header (seconds, or an HTTP date) as milliseconds from `now`; null when there is none to read. */
export const retryAfterMillis = (header: string | undefined, now: number): number | null => {
  if (header === undefined) return null
  // oxlint-disable-next-line no-restricted-globals -- reads a date out of a header, not the clock
  const seconds = /^\s*\d+(?:\.\d+)?\s*$/.test(header) ? Number(header) : (Date.parse(header) - now) / 1000
  return Number.isFinite(seconds) ? Math.max(0, seconds * 1000) : null
}
