/** Runs that nobody answered: a simulated policy says so in the lineage, and every chart of such a run says so too, wherever it is copied to. */
import type { RunRecord } from "@gradus/domain/RunRecord"
import type { TopLevelSpec } from "vega-lite"
import { ink } from "./Palette.ts"

/** Says whether a simulated policy stood in the place of a language model. */
export const isSimulated = ({ lineage }: Pick<RunRecord, "lineage">): boolean => lineage.trainer.device === "simulated"

const words = "SIMULATION: no language model was run"

/** Writes the words over a chart: beside its title, or as the title of its panels together. */
export const marked = (spec: TopLevelSpec): TopLevelSpec => {
  const title: unknown = "title" in spec ? spec.title : undefined
  const own =
    typeof title === "string"
      ? { text: title, subtitle: words, subtitleColor: ink.orange }
      : { text: words, color: ink.orange }
  return { ...spec, title: own } as TopLevelSpec
}
