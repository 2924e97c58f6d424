/** Numbers as the pages write them; shares and counts are written as the report does. */
import { ABSENT } from "@gradus/analytics/report/Format"

/** Writes a number with so many decimals; a dash where there is none. */
export const fixed = (value: number | null | undefined, decimals = 2): string =>
  value === null || value === undefined ? ABSENT : value.toFixed(decimals)
