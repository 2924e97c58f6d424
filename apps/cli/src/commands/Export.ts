/** `gradus export`: a plan in the form that another trainer loads: rows in order, a verl sampler, prime-rl pools. */
import { defaultPools } from "@gradus/curriculum/batchers/Pools"
import { primeRlConfig, primeRlLoader, primeRlState } from "@gradus/curriculum/exports/PrimeRlPools"
import { verlOrder, verlOverrides, verlSamplerModule } from "@gradus/curriculum/exports/VerlSampler"
import { refusing } from "@gradus/curriculum/PoolInvalid"
import { ExportImpossible, planOrder } from "@gradus/datasets/Reorder"
import type { PlannedBatch } from "@gradus/domain/Plan"
import { writeFile } from "@gradus/experiment/AtomicFile"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import { type Data, dataOf } from "../ExportData.ts"
import { print, printJson, say } from "../Output.ts"
import { type PlanFlags, type PlanSource, planSource } from "../PlanSource.ts"
import { encodeAsRead } from "../RowsAsRead.ts"
import { refuseUnless } from "../UnusedFlags.ts"
import { UsageError } from "../UsageError.ts"
import { makePlans } from "./Plan.ts"

export interface ExportOptions extends Omit<PlanFlags, "compare"> {
  readonly to: "rows" | "verl" | "prime-rl"
  /** Columns that are left out: nested ones cannot be written as Parquet. */
  readonly dropColumn: ReadonlyArray<string>
  /** A file for rows, a directory for the others. */
  readonly output: string
  readonly json: boolean
}

type Files = ReadonlyArray<readonly [file: string, data: Uint8Array | string]>

/** The plan of a source: export needs batches, and says why there are none. */
const batchesOf = Effect.fnUntraced(function* (source: PlanSource, output: string) {
  const [made] = yield* makePlans(source)
  if (made === undefined || made.batches.length === 0)
    return yield* new ExportImpossible({ file: output, reason: "the plan has no batch" })
  for (const warning of made.report.warnings.filter((line) => !source.notes.includes(line))) yield* say(warning)
  return made.batches
})

/** What verl loads: the data, the order of its rows, and the class that serves it. */
const forVerl = Effect.fnUntraced(function* (
  data: Data,
  batches: ReadonlyArray<PlannedBatch>,
  output: string,
  dropped: ReadonlySet<string>
) {
  const path = yield* Path.Path
  const at = (name: string): string => path.resolve(output, name)
  const order = yield* refusing(() => verlOrder(batches, data.ids))
  const last = batches.at(-1)?.questions.length ?? 0
  if (last < order.batch_size)
    yield* say(
      `verl drops a last batch that is not full: ${last} questions of the plan will not be asked (-s curriculum.last_batch=drop plans without them)`
    )
  const asItIs = dropped.size === 0 ? data.parquet : undefined
  const train = asItIs ?? at("train.parquet")
  const overrides = [
    `data.train_files=['${train}']`,
    ...verlOverrides(order, at("gradus_sampler.py"), at("order.json"))
  ]
  const rows = data.ids.map((_, i) => i)
  const files: Files = [
    ...(asItIs === undefined ? [[train, yield* encodeAsRead(data.read, rows, train, [], dropped)] as const] : []),
    [at("order.json"), `${JSON.stringify(order)}\n`],
    [at("gradus_sampler.py"), verlSamplerModule],
    [at("overrides.txt"), overrides.map((line) => `${line}\n`).join("")]
  ]
  return files
})

/** What prime-rl loads: the sampler's configuration, and pass rates as its observed rewards. */
const forPrimeRl = Effect.fnUntraced(function* ({ manifest, rated }: PlanSource, output: string) {
  const path = yield* Path.Path
  const { curriculum, seed } = manifest
  const pools = curriculum.batcher === "pools" ? curriculum.pools : defaultPools
  const files: Files = [
    [path.join(output, "curriculum.toml"), yield* refusing(() => primeRlConfig(pools, seed))],
    [path.join(output, "sampler_state.json"), `${JSON.stringify(yield* refusing(() => primeRlState(rated, seed)))}\n`],
    [path.join(output, "load_sampler_state.py"), primeRlLoader]
  ]
  return files
})

/** The columns to leave out, each of which must be there. */
const droppedOf = Effect.fnUntraced(function* ({ read }: Data, names: ReadonlyArray<string>) {
  const there = new Set(read.rows.flatMap((row) => Object.keys(row.values)))
  const unknown = names.find((name) => !there.has(name))
  if (unknown === undefined) return new Set(names)
  const reason = `there is no column ${unknown} to drop; there are ${[...there].join(", ")}`
  return yield* new UsageError({ reason })
})

const filesOf = Effect.fnUntraced(function* (source: PlanSource, { dropColumn, output, to }: ExportOptions) {
  if (to === "prime-rl")
    return { files: yield* forPrimeRl(source, output), batches: null, questions: source.rated.length }
  const data = yield* dataOf(source)
  const dropped = yield* droppedOf(data, dropColumn)
  const batches = yield* batchesOf(source, output)
  const questions = batches.reduce((sum, batch) => sum + batch.questions.length, 0)
  const summary = { batches: batches.length, questions }
  if (to === "verl") return { ...summary, files: yield* forVerl(data, batches, output, dropped) }
  const { columns, rows } = yield* planOrder(data.ids, batches, data.read.file ?? output)
  const files: Files = [[output, yield* encodeAsRead(data.read, rows, output, columns, dropped)]]
  return { ...summary, files }
})

/** What prime-rl loads are pools and rates: it makes its own batches of all of them. */
const checkUse = ({ dropAt, dropColumn, credibleLevel, floor, promptsPerStep, sigma, steps, to }: ExportOptions) =>
  refuseUnless(
    to !== "prime-rl",
    { dropColumn, promptsPerStep, steps, sigma, dropAt, floor, credibleLevel },
    "with --to prime-rl: it draws its own batches from every rated question"
  )

/** Makes all files of an export, then writes them. */
export const exportPlan = Effect.fn("gradus.export")(function* (options: ExportOptions) {
  yield* checkUse(options)
  // there is no batch whose size would have to be said
  const promptsPerStep = options.to === "prime-rl" && options.input !== undefined ? 1 : options.promptsPerStep
  const source = yield* planSource({ ...options, promptsPerStep, compare: [] })
  for (const note of source.notes) yield* say(note)
  const { batches, files, questions } = yield* filesOf(source, options)
  for (const [file, data] of files) yield* writeFile(file, data)
  const names = files.map(([file]) => file)
  if (options.json) return yield* printJson({ to: options.to, batches, questions, files: names })
  yield* print(`${questions} questions${batches === null ? "" : ` in ${batches} batches`} for ${options.to}:`)
  for (const name of names) yield* print(`  ${name}`)
})
