/** Verb: follows what is left at each level while the plan's batches are drawn. */
import { type ColumnTable, escape, op, rolling, table } from "arquero"

/**
 * Turns the plan's draws (`batch`, `question_id`) into `batch`, `level`, `label`, `left`: the kept questions of a level that no batch
 * up to this one has drawn. Batch 0 is the state before the first. `levels` is the output of `questionLevels`.
 */
export const poolDepletion =
  (levels: ColumnTable) =>
  (draws: ColumnTable): ColumnTable => {
    const kept = levels.filter(escape((row: Level) => row.kept))
    const pools = kept.groupby("level", "label").rollup({ questions: op.count() })
    const drawn = draws
      .join(kept.select("question_id", "level"), "question_id")
      .groupby("batch", "level")
      .rollup({ drawn: op.count() })
    const batches = table({ batch: [...new Set([0, ...(draws.array("batch") as Iterable<number>)])] })
    return batches
      .cross(pools)
      .join_left(drawn, [
        ["batch", "level"],
        ["batch", "level"]
      ])
      .derive({ drawn: escape((row: Drawn) => row.drawn ?? 0) })
      .orderby("level", "batch")
      .groupby("level")
      .derive({ gone: rolling("d => op.sum(d.drawn)") })
      .ungroup()
      .derive({ left: escape((row: Gone) => row.questions - row.gone) })
      .select("batch", "level", "label", "left")
      .reify()
  }

interface Level {
  readonly kept: boolean
}
interface Drawn {
  readonly drawn?: number | null
}
interface Gone {
  readonly questions: number
  readonly gone: number
}
