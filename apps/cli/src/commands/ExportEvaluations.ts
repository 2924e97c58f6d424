/** `gradus export DIR --to inspect`: every evaluation of a run as an evaluation log of Inspect. Works while the run goes on, too. */
import { decodeRows } from "@gradus/datasets/Parquet"
import { Lineage } from "@gradus/domain/Lineage"
import { RolloutRow } from "@gradus/domain/RunRecord"
import { VerdictRecord } from "@gradus/domain/VerdictRecord"
import { exists, readFile, readJson, writeFile } from "@gradus/experiment/AtomicFile"
import { readings, ResolvedFile } from "@gradus/experiment/ReadRun"
import { layout } from "@gradus/experiment/RunDirectory"
import { inspectFile, inspectLog } from "@gradus/trackers/Inspect"
import { InspectLog } from "@gradus/trackers/InspectSchema"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { print, printJson } from "../Output.ts"
import { refuseUnless } from "../UnusedFlags.ts"
import { UsageError } from "../UsageError.ts"

const encode = Schema.encodeEffect(Schema.fromJsonString(InspectLog))

/** What judges replied, by sample; empty where no judge was asked. */
const repliesOf = Effect.fnUntraced(function* (file: string) {
  const verdicts = (yield* exists(file)) ? yield* decodeRows(VerdictRecord, yield* readFile(file)) : []
  return new Map(verdicts.flatMap(({ reply, sample_id }) => (reply === null ? [] : [[sample_id, reply] as const])))
})

/** Writes the logs, one a set and step. The same run gives the same names and bytes. */
export const exportEvaluations = Effect.fn("gradus.exportEvaluations")(function* (options: {
  readonly directory: string | undefined
  readonly output: string
  readonly json: boolean
  /** The flags of plans, none of which has a meaning here. */
  readonly others: Readonly<Record<string, unknown>>
}) {
  const path = yield* Path.Path
  yield* refuseUnless(false, options.others, "with --to inspect: the run's evaluations are written as they are")
  if (options.directory === undefined)
    return yield* new UsageError({ reason: "--to inspect needs a run directory: gradus export DIR --to inspect" })
  const directory = yield* layout(path.resolve(options.directory))
  if (!(yield* exists(directory.resolved)))
    return yield* new UsageError({ reason: `${directory.root} is not a run directory: it has no resolved.json` })
  const { manifest } = yield* readJson(ResolvedFile, directory.resolved)
  const lineage = yield* readJson(Lineage, directory.lineage)
  const files: Array<string> = []
  for (const reading of yield* readings(directory)) {
    const { rollouts } = directory.evaluation(reading.set, reading.step)
    const rows = yield* decodeRows(RolloutRow, yield* readFile(rollouts))
    const replies = yield* repliesOf(directory.verdicts(rollouts))
    const evaluated = { run: directory.run, manifest, lineage, reading, rows, replies }
    const file = path.resolve(options.output, inspectFile(evaluated))
    yield* writeFile(file, yield* encode(inspectLog(evaluated)))
    files.push(file)
  }
  if (options.json) return yield* printJson({ to: "inspect", evaluations: files.length, files })
  yield* print(`${files.length} evaluations for inspect:`)
  for (const file of files) yield* print(`  ${file}`)
})
