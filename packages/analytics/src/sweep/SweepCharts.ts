/** All charts of a sweep, in the order of its report. */
import { curriculumAgainstRandom } from "../charts/sweep/curriculumAgainstRandom.ts"
import { curvesByTokens } from "../charts/sweep/curvesByTokens.ts"
import { curvesByUpdates } from "../charts/sweep/curvesByUpdates.ts"
import { pairedDifferences } from "../charts/sweep/pairedDifferences.ts"
import { performanceProfiles } from "../charts/sweep/performanceProfiles.ts"
import type { SweepChart } from "./SweepChart.ts"

export const sweepCharts: ReadonlyArray<SweepChart> = [
  pairedDifferences,
  curriculumAgainstRandom,
  curvesByTokens,
  curvesByUpdates,
  performanceProfiles
]
