/** Verb: counts questions by level and by what the filter did. */
import { type ColumnTable, op } from "arquero"

/** Counts the rows of `questionLevels`: `level`, `label`, `kept`, `questions`, from the hardest level up. */
export const countByLevel = (source: ColumnTable): ColumnTable =>
  source.groupby("level", "label", "kept").rollup({ questions: op.count() }).orderby("level", "kept").reify()
