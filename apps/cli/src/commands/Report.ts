/** `gradus report DIR`: the report of a run, drawn again from its directory alone. */
import { writeReport } from "@gradus/experiment/Report"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import { print, printJson } from "../Output.ts"

/** Writes report.html and figures/, and says where. */
export const report = Effect.fn("gradus.report")(function* (options: {
  readonly directory: string
  readonly json: boolean
}) {
  const path = yield* Path.Path
  const file = yield* writeReport(path.resolve(options.directory))
  yield* options.json ? printJson({ report: file }) : print(file)
})
