/** `questions:` where the sets of an experiment come from. */
import * as Schema from "effect/Schema"
import { defaulted } from "./Defaulted.ts"
import { Count, Share, Text } from "./Numbers.ts"

/** The sorting task (sort distinct letters) and the errors of the teacher whose traces the warm-up imitates. */
export const SortingQuestions = Schema.Struct({
  kind: Schema.Literal("sorting"),
  train: defaulted(Count, 2400),
  heldout: defaulted(Count, 512),
  hard: defaulted(Count, 256),
  /** List lengths of train, held-out and warm-up: uniform in [min, max]. */
  letters: defaulted(Schema.Struct({ min: Count, max: Count.check(Schema.isLessThanOrEqualTo(26)) }), {
    min: 3,
    max: 12
  }),
  /** List lengths of the hard set, unseen by warm-up and RL. */
  hard_letters: defaulted(Schema.NonEmptyArray(Count.check(Schema.isLessThanOrEqualTo(26))), [14, 16]),
  /** Share of questions asked with thinking off. */
  off_share: defaulted(Share, 0.2),
  teacher: defaulted(
    Schema.Struct({
      /** Probability of answering in the other mode's format. */
      wrong_mode: defaulted(Share, 0.15),
      /** Probability of swapping neighbours that are 1, 2, or more places apart in the alphabet. */
      swap: defaulted(Schema.Tuple([Share, Share, Share]), [0.2, 0.08, 0.02])
    }),
    {}
  )
})
export type SortingQuestions = typeof SortingQuestions.Type

export const ArithmeticLevel = Schema.Literals([
  "add1",
  "mul1",
  "word1",
  "add2",
  "chain2",
  "chain3",
  "word2",
  "chain4",
  "add3",
  "mul21",
  "sub2",
  "word3",
  "chain2d",
  "chain3d",
  "chain6"
])
export type ArithmeticLevel = typeof ArithmeticLevel.Type

/** Arithmetic by levels, with worked reasoning. */
export const ArithmeticQuestions = Schema.Struct({
  kind: Schema.Literal("arithmetic"),
  levels: defaulted(Schema.NonEmptyArray(ArithmeticLevel), [
    "add2",
    "sub2",
    "add3",
    "mul21",
    "chain2",
    "chain3",
    "chain4",
    "chain2d",
    "word1",
    "word2",
    "word3"
  ]),
  hard_levels: defaulted(Schema.NonEmptyArray(ArithmeticLevel), ["chain6", "chain3d"]),
  train_per_level: defaulted(Count, 250),
  heldout_per_level: defaulted(Count, 24),
  hard_per_level: defaulted(Count, 128),
  off_share: defaulted(Share, 0.2)
})
export type ArithmeticQuestions = typeof ArithmeticQuestions.Type

/** Which column of a file holds what. */
export const ColumnMapping = Schema.Struct({
  /** Absent: row numbers are the ids. */
  id: Schema.optionalKey(Text),
  question: defaulted(Text, "question"),
  gold: defaulted(Text, "answer"),
  thinking: Schema.optionalKey(Text),
  domain: Schema.optionalKey(Text),
  level: Schema.optionalKey(Text),
  /** The worked text to imitate; only warm-up files need it. */
  completion: Schema.optionalKey(Text)
})
export type ColumnMapping = typeof ColumnMapping.Type

export const QuestionFile = Schema.Struct({
  /** JSONL or Parquet, relative to the manifest. */
  path: Text,
  columns: defaulted(ColumnMapping, {}),
  /** Takes only the first so many rows. */
  limit: Schema.optionalKey(Count),
  /** What `gold` is cut from: all of it, or what stands after GSM8K's last `####`. */
  gold_rule: defaulted(Schema.Literals(["whole", "gsm8k_hash_last"]), "whole"),
  /** Used where no column says it. */
  thinking: defaulted(Schema.Literals(["on", "off"]), "on")
})
export type QuestionFile = typeof QuestionFile.Type

export const FileQuestions = Schema.Struct({
  kind: Schema.Literal("files"),
  train: QuestionFile,
  heldout: Schema.optionalKey(QuestionFile),
  hard: Schema.optionalKey(QuestionFile),
  warmup: Schema.optionalKey(QuestionFile)
})
export type FileQuestions = typeof FileQuestions.Type

export const QuestionsSpec = Schema.Union([SortingQuestions, ArithmeticQuestions, FileQuestions])
export type QuestionsSpec = typeof QuestionsSpec.Type

/** How a question becomes a prompt: `{mode}` and `{question}` are replaced, nothing else. */
export const PromptSpec = Schema.Struct({
  template: Text.check(Schema.isPattern(/\{question\}/)),
  mode: Schema.Struct({ on: Text, off: Text })
})
export type PromptSpec = typeof PromptSpec.Type
