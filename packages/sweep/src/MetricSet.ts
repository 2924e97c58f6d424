/** Whether a sweep's metric can be read: its set must be one that the questions have and, where arms are ended early, the one that is read on the way. Pure. */
import type { ManifestIssue } from "@gradus/manifest/ManifestInvalid"
import { locate, nodeAt } from "@gradus/manifest/Tree"
import type { Sweep } from "./Read.ts"
import { issueAt } from "./SweepIssue.ts"

const PATH = ["metric", "set"]

/** Finds what is wrong with the metric. `sets`: the evaluation sets of each arm's questions, in their order. */
export const metricIssues = (
  { spec, tree }: Sweep,
  sets: ReadonlyArray<ReadonlyArray<string>>
): ReadonlyArray<ManifestIssue> => {
  const { set } = spec.metric
  const place = locate(tree, PATH)
  // questions without any evaluation set may be swept all the same, as long as nobody asks for a reading
  const asked = spec.early_stop !== undefined || nodeAt(tree, PATH) !== undefined
  const lacking = sets.find((own) => !own.includes(set) && (asked || own.length > 0))
  if (lacking !== undefined) {
    const others = lacking.length === 0 ? "they have none" : `there are ${lacking.join(" | ")}`
    return [issueAt(place, PATH, `\`${set}\` is no evaluation set of the questions; ${others}`)]
  }
  const late = spec.early_stop === undefined ? undefined : sets.find((own) => own[0] !== set)
  return late === undefined
    ? []
    : [
        issueAt(
          place,
          PATH,
          `\`${set}\` is not read at the rungs of early_stop: on the way only the first set is, \`${late[0]}\``
        )
      ]
}
