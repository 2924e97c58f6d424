/** The report: report.html and figures/, drawn from the run directory alone. */
import { figures } from "@gradus/analytics/Figures"
import { reportHtml } from "@gradus/analytics/Report"
import { encodeRows } from "@gradus/datasets/Parquet"
import { HistoryRow } from "@gradus/domain/QuestionHistory"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import { writeFile, writeJson } from "./AtomicFile.ts"
import { readRun } from "./ReadRun.ts"
import { layout } from "./RunDirectory.ts"

/** Writes the report of a run and returns its path. */
export const writeReport = Effect.fn("Report.write")(function* (root: string) {
  const path = yield* Path.Path
  const directory = yield* layout(root)
  const record = yield* readRun(root)
  for (const figure of yield* figures(record)) {
    yield* writeJson(path.join(directory.figures, `${figure.name}.vl.json`), figure.spec)
    yield* writeFile(path.join(directory.figures, `${figure.name}.svg`), figure.svg)
  }
  if (record.history !== undefined && record.history.length > 0)
    yield* writeFile(directory.history, yield* encodeRows(HistoryRow, record.history))
  yield* writeFile(directory.report, yield* reportHtml(record))
  return directory.report
})
