/** Verb: how long the answers were to the questions that a filter keeps, and to those that it drops. */
import { type ColumnTable, escape, op } from "arquero"

/**
 * Turns rows of `kept` (output of `questionLevels`) and `mean_tokens` into `kept`, `from`, `questions`, `share`: the questions of each decision by bins
 * of `width` tokens, and their share of all questions of that decision. Bins without a question are not there.
 */
export const lengthsByDecision =
  (width: number) =>
  (source: ColumnTable): ColumnTable =>
    source
      .derive({ from: escape(({ mean_tokens }: Row) => Math.floor(mean_tokens / width) * width) })
      .groupby("kept", "from")
      .rollup({ questions: op.count() })
      .groupby("kept")
      .derive({ all: op.sum("questions") })
      .ungroup()
      .derive({ share: escape(({ all, questions }: Binned) => questions / all) })
      .select("kept", "from", "questions", "share")
      .orderby("kept", "from")
      .reify()

interface Row {
  readonly mean_tokens: number
}
interface Binned {
  readonly questions: number
  readonly all: number
}
