/** From rows to questions, by the column mapping of the manifest. */
import type { QuestionFile } from "@gradus/domain/manifest/Questions"
import type { Question, Thinking, WorkedExample } from "@gradus/domain/Question"
import * as Effect from "effect/Effect"
import * as Cells from "./Cells.ts"
import type { DatasetRowInvalid } from "./DatasetErrors.ts"
import type { Row } from "./Row.ts"
import { questionId } from "./Task.ts"

/** Cuts the gold from a column's text: all of it, or what stands after GSM8K's last `####`, without commas; undefined where there is none. */
export const cutGold = (text: string, rule: QuestionFile["gold_rule"]): string | undefined => {
  if (rule === "whole") return text
  const at = text.lastIndexOf("####")
  const gold =
    at < 0
      ? ""
      : text
          .slice(at + 4)
          .replaceAll(",", "")
          .trim()
  return gold === "" ? undefined : gold
}

const goldOf = Effect.fnUntraced(function* (row: Row, file: QuestionFile) {
  const text = yield* Cells.label(file.path, row, file.columns.gold)
  const gold = cutGold(text, file.gold_rule)
  if (gold !== undefined) return gold
  return yield* Cells.invalid(file.path, row, file.columns.gold, "no answer stands after a last ####")
})

const thinkingOf = Effect.fnUntraced(function* (row: Row, file: QuestionFile) {
  const column = file.columns.thinking
  if (column === undefined) return file.thinking
  const value = yield* Cells.text(file.path, row, column)
  if (value === "on" || value === "off") return value satisfies Thinking
  return yield* Cells.invalid(file.path, row, column, `"on" or "off" is needed, and it is ${JSON.stringify(value)}`)
})

const questionOf = Effect.fnUntraced(function* (set: string, row: Row, file: QuestionFile) {
  const { columns, path } = file
  const question = yield* Cells.text(path, row, columns.question)
  if (question.trim() === "") return yield* Cells.invalid(path, row, columns.question, "the question is empty")
  const gold = yield* goldOf(row, file)
  const thinking = yield* thinkingOf(row, file)
  const id = columns.id === undefined ? questionId(set, row.row) : yield* Cells.label(path, row, columns.id)
  const domain = columns.domain === undefined ? undefined : yield* Cells.optionalLabel(path, row, columns.domain)
  const level = columns.level === undefined ? undefined : yield* Cells.optionalLabel(path, row, columns.level)
  const found: Question = {
    question_id: id,
    question,
    gold,
    thinking,
    ...(domain === undefined ? {} : { domain }),
    ...(level === undefined ? {} : { level })
  }
  return found
})

/**
 * Maps rows to questions. Without an id column a question is named by its set and row (`train-000012`, rows from 1).
 * Fails at the first row that lacks a column, holds a wrong value, or has an id that an earlier row has.
 */
export const toQuestions = Effect.fnUntraced(function* (
  set: string,
  rows: ReadonlyArray<Row>,
  file: QuestionFile
): Effect.fn.Return<ReadonlyArray<Question>, DatasetRowInvalid> {
  const unique = Cells.uniqueIds(file.path)
  const questions: Array<Question> = []
  for (const row of rows) {
    const question = yield* questionOf(set, row, file)
    yield* unique(row, file.columns.id ?? "row", question.question_id)
    questions.push(question)
  }
  return questions
})

/** Maps rows to worked examples: questions with the text of the `completion` column, which has to be named. */
export const toWorkedExamples = Effect.fnUntraced(function* (
  rows: ReadonlyArray<Row>,
  file: QuestionFile
): Effect.fn.Return<ReadonlyArray<WorkedExample>, DatasetRowInvalid> {
  const questions = yield* toQuestions("warmup", rows, file)
  const examples: Array<WorkedExample> = []
  for (const [i, row] of rows.entries()) {
    const question = questions[i]
    if (question === undefined) continue
    const completion = yield* Cells.text(file.path, row, file.columns.completion ?? "completion")
    examples.push({ ...question, completion })
  }
  return examples
})
