/** All charts of a run, in the order of the report. */
import type { Chart } from "./Chart.ts"
import { accuracyByLevel } from "./charts/accuracyByLevel.ts"
import { judgeAgreement } from "./charts/judgeAgreement.ts"
import { judgeCost } from "./charts/judgeCost.ts"
import { learningCurve } from "./charts/learningCurve.ts"
import { lengths } from "./charts/lengths.ts"
import { lengthsKept } from "./charts/lengthsKept.ts"
import { optimisation } from "./charts/optimisation.ts"
import { poolDepletion } from "./charts/poolDepletion.ts"
import { profile } from "./charts/profile.ts"
import { rewardParts } from "./charts/rewardParts.ts"
import { samplerGap } from "./charts/samplerGap.ts"
import { startingLevel } from "./charts/startingLevel.ts"
import { targetAchieved } from "./charts/targetAchieved.ts"
import { times } from "./charts/times.ts"
import { warmup } from "./charts/warmup.ts"
import { zeroVariance } from "./charts/zeroVariance.ts"

export const charts: ReadonlyArray<Chart> = [
  learningCurve,
  accuracyByLevel,
  profile,
  targetAchieved,
  poolDepletion,
  startingLevel,
  rewardParts,
  zeroVariance,
  lengths,
  lengthsKept,
  judgeAgreement,
  judgeCost,
  optimisation,
  samplerGap,
  times,
  warmup
]
