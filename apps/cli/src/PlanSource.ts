/**
 * What is planned: a pool of rated questions and one curriculum or several, from a manifest or from a file with pass rates. Both are set in one way:
 * `-s path=value`, for which the short flags stand, and both are checked by the manifest's own rules.
 */
import { filter } from "@gradus/curriculum/Filter"
import { refusing } from "@gradus/curriculum/PoolInvalid"
import { decodeRows } from "@gradus/datasets/Parquet"
import type { CurriculumSpec } from "@gradus/domain/manifest/Curriculum"
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import { ProfileRow, type RatedQuestion } from "@gradus/domain/Profile"
import { readFile } from "@gradus/experiment/AtomicFile"
import { planOf } from "@gradus/experiment/Run"
import { layout } from "@gradus/experiment/RunDirectory"
import { resolve } from "@gradus/manifest/Resolve"
import { load } from "@gradus/manifest/service/Load"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Engines } from "./Engines.ts"
import { ASSUMED, type RatedColumns, readRated } from "./RatedFile.ts"
import type { ReadFile } from "./RowsAsRead.ts"
import { runInput, trainerPlace } from "./RunPlace.ts"
import { refuseUnless } from "./UnusedFlags.ts"
import * as TerminalProgress from "./TerminalProgress.ts"

/** The options do not say what to plan. */
export class PlanRequestInvalid extends Schema.TaggedError<PlanRequestInvalid>()("PlanRequestInvalid", {
  reason: Schema.String
}) {
  override get message(): string {
    return `plan: ${this.reason}`
  }
}

/** What of a plan is set by flags; each is short for an override. */
export interface PlanFlags {
  readonly manifest: string | undefined
  readonly set: ReadonlyArray<string>
  readonly runs: string | undefined
  readonly input: string | undefined
  readonly columns: Omit<RatedColumns, "passed"> & { readonly passed: string | undefined }
  readonly promptsPerStep: number | undefined
  readonly steps: number | undefined
  readonly sigma: number | undefined
  readonly dropAt: number | undefined
  readonly floor: number | undefined
  readonly credibleLevel: number | undefined
  readonly seed: number | undefined
  /** Other curricula on the same pool: `[label=]batcher`, `[label=]{batcher: …}`, `[label=]manifest.yaml`. */
  readonly compare: ReadonlyArray<string>
}

export interface NamedCurriculum {
  readonly name: string
  readonly spec: CurriculumSpec
}

export interface PlanSource {
  readonly manifest: Manifest
  /** What the filter kept. */
  readonly pool: ReadonlyArray<RatedQuestion>
  readonly rated: ReadonlyArray<RatedQuestion>
  /** The first is the one that is asked for, the others are compared with it. */
  readonly curricula: readonly [NamedCurriculum, ...ReadonlyArray<NamedCurriculum>]
  readonly notes: ReadonlyArray<string>
  /** The file with the pass rates, parallel to `rated`; undefined where a run measured them. */
  readonly read: ReadFile | undefined
  /** Where the manifest's relative paths start. */
  readonly base: string
}

/** What a manifest has to say and a plan does not use: with it the rules and the words of manifests hold for files with pass rates too. */
const unused = `version: 1
name: plan
questions: {kind: files, train: {path: unused}}
prompt: {template: "{question}", mode: {on: "", off: ""}}
policy: {kind: huggingface, path: unused}
sampling: {max_tokens: 1}
train: {samples_per_prompt: 16, learning_rate: {peak: 1}}
`

/** The overrides that the short flags stand for; what is set by `-s` comes after them. */
const overrides = (flags: PlanFlags): ReadonlyArray<string> => {
  const short: ReadonlyArray<readonly [string, number | undefined]> = [
    ["train.prompts_per_step", flags.promptsPerStep],
    ["train.steps", flags.steps],
    ["curriculum.sigma", flags.sigma],
    ["filter.drop_at", flags.dropAt],
    ["filter.floor", flags.floor],
    ["filter.credible_level", flags.credibleLevel],
    ["seed", flags.seed]
  ]
  return [...short.flatMap(([path, value]) => (value === undefined ? [] : [`${path}=${value}`])), ...flags.set]
}

const labelled = (text: string): { readonly label: string | undefined; readonly settings: string } => {
  const parts = /^([^={}:]+)=(.+)$/su.exec(text)
  return { label: parts?.[1]?.trim(), settings: (parts?.[2] ?? text).trim() }
}

const isFile = (settings: string): boolean => /\.ya?ml$/u.test(settings)

/** Reads the curricula that are compared: `specOf` resolves overrides over what the first was resolved from. */
const compared = Effect.fnUntraced(function* <E, R>(
  { compare }: PlanFlags,
  first: CurriculumSpec,
  specOf: (override: string) => Effect.Effect<CurriculumSpec, E, R>
) {
  const names = new Set<string>()
  const unique = (name: string): string => {
    let free = name
    for (let i = 2; names.has(free); i++) free = `${name} ${i}`
    names.add(free)
    return free
  }
  const others: Array<NamedCurriculum> = []
  const own = { name: unique(first.batcher), spec: first }
  for (const text of compare) {
    const { label, settings } = labelled(text)
    const spec = isFile(settings)
      ? (yield* load(settings)).manifest.curriculum
      : yield* specOf(`curriculum=${/^\w+$/u.test(settings) ? `{batcher: ${settings}}` : settings}`)
    others.push({ name: unique(label ?? spec.batcher), spec })
  }
  return [own, ...others] as const
})

/** Checks that something is left to plan with. */
const kept = Effect.fnUntraced(function* (
  rated: ReadonlyArray<RatedQuestion>,
  { filter: rule }: Manifest,
  where: string
) {
  const filtered = yield* refusing(() => filter(rated, rule))
  if (filtered.kept.length > 0) return filtered
  const { below_floor, too_easy, unscored } = filtered.byReason
  return yield* new PlanRequestInvalid({
    reason: `the filter keeps none of ${rated.length} questions of ${where}: ${too_easy} have a pass rate of ${rule.drop_at} or more, ${below_floor} are below the floor, ${unscored} have no score; there is nothing to plan`
  })
})

const selfDescribing = new Set(["fraction", "booleans"])

const fromFile = Effect.fnUntraced(function* (flags: PlanFlags) {
  const { columns, input } = flags
  const { kind, n, nColumn, passed } = columns
  const given = overrides(flags)
  const counted = n !== undefined || nColumn !== undefined || selfDescribing.has(kind ?? ASSUMED)
  const sized = given.some((text) => text.startsWith("train.prompts_per_step="))
  if (input === undefined || passed === undefined || !counted || !sized)
    return yield* new PlanRequestInvalid({
      reason: "give a manifest, or all of --input, --passed, --n (or --n-column) and --prompts-per-step"
    })
  const resolved = (more: ReadonlyArray<string>) =>
    Effect.fromResult(resolve([{ file: "plan", text: unused }], [...given, ...more]))
  const { manifest } = yield* resolved([])
  const curricula = yield* compared(flags, manifest.curriculum, (override) =>
    Effect.map(resolved([override]), (other) => other.manifest.curriculum)
  )
  const { rated, rows } = yield* readRated(input, { ...columns, passed })
  const filtered = yield* kept(rated, manifest, input)
  const source: PlanSource = {
    manifest,
    pool: filtered.kept,
    rated,
    curricula,
    notes: filtered.notes,
    read: { file: input, rows },
    base: "."
  }
  return source
})

const ratedOf = ({ domain, passed, question_id, scored }: ProfileRow): RatedQuestion => ({
  question_id,
  passed,
  scored,
  ...(domain === null ? {} : { domain })
})

const fromManifest = Effect.fnUntraced(function* (file: string, flags: PlanFlags) {
  const given = overrides(flags)
  const loaded = yield* load(file, given)
  const { manifest } = loaded
  const curricula = yield* compared(flags, manifest.curriculum, (override) =>
    Effect.map(load(file, [...given, override]), (other) => other.manifest.curriculum)
  )
  const input = yield* runInput(loaded, flags.runs ?? "runs")
  const { lease, run: enginesOf } = yield* Engines
  const engines = enginesOf(manifest, yield* trainerPlace(input.root))
  const { notes } = yield* planOf(input, engines).pipe(Effect.provide([lease, TerminalProgress.layer]))
  const profile = yield* decodeRows(ProfileRow, yield* readFile((yield* layout(input.root)).profile))
  const rated = profile.map(ratedOf)
  const { kept: pool } = yield* kept(rated, manifest, file)
  const source: PlanSource = { manifest, pool, rated, curricula, notes, read: undefined, base: loaded.directory }
  return source
})

/** Finds out what is planned; a manifest's questions are profiled where that has not been done. */
export const planSource = Effect.fn("PlanSource.planSource")(function* (flags: PlanFlags) {
  if (flags.manifest !== undefined && flags.input !== undefined)
    return yield* new PlanRequestInvalid({ reason: "give a manifest or --input, not both" })
  yield* refuseUnless(flags.input, { ...flags.columns }, "without --input: a manifest's profile has its own columns")
  yield* refuseUnless(flags.manifest, { runs: flags.runs }, "with --input: no run is looked at")
  return yield* flags.manifest === undefined ? fromFile(flags) : fromManifest(flags.manifest, flags)
})
