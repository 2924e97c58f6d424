/** `gradus profile --input FILE --endpoint URL …`: pass rates of a file's questions at any OpenAI-compatible server. */
import { agreement, type Agreement } from "@gradus/curriculum/Agreement"
import { misfilterRate } from "@gradus/curriculum/EarlyDecision"
import { boundNotes, PRIOR } from "@gradus/curriculum/Estimate"
import { filter } from "@gradus/curriculum/Filter"
import type { PassRateKind } from "@gradus/domain/manifest/Curriculum"
import { earlyFigures } from "@gradus/experiment/profiler/EarlyFigures"
import type { ServedRow } from "@gradus/experiment/profiler/ServedRows"
import { servedProfile, type ServedProfile, type ServedProfileInput } from "@gradus/experiment/profiler/ServedProfile"
import { exists } from "@gradus/experiment/AtomicFile"
import { timed } from "@gradus/experiment/Records"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import { Engines } from "../Engines.ts"
import { print, printJson, say } from "../Output.ts"
import { costOf, progressNote, profileWords } from "../ProfileWords.ts"
import * as TerminalProgress from "../TerminalProgress.ts"
import { apiKey, checkServedOptions } from "./ProfileOptions.ts"
import { servedQuestions } from "./ProfileQuestions.ts"
import { shardedProfile } from "./ProfileShards.ts"
import { rewardsOf, type RuleOptions } from "./Score.ts"

export interface ServedOptions extends RuleOptions {
  readonly input: string | undefined
  readonly endpoint: ReadonlyArray<string>
  readonly model: string | undefined
  readonly apiKeyEnv: string | undefined
  readonly api: "chat" | "completions"
  readonly concurrency: number
  readonly choices: number | undefined
  readonly deadline: number
  readonly attempts: number
  readonly patience: number
  readonly id: string
  readonly rowIds: boolean
  readonly question: string
  readonly gold: string
  readonly goldRule: "whole" | "gsm8k_hash_last"
  readonly domain: string | undefined
  readonly thinking: "on" | "off"
  readonly system: string | undefined
  readonly sample: number | undefined
  readonly sampleSeed: number
  readonly samples: number
  readonly temperature: number
  readonly maxTokens: number
  readonly seed: number | undefined
  readonly passMark: number
  readonly credibleLevel: number
  readonly dropAt: number
  readonly floor: number | undefined
  readonly decideEarly: number | undefined
  readonly priceIn: number | undefined
  readonly priceOut: number | undefined
  readonly output: string | undefined
  readonly retryFailed: boolean
  /** So many parts for the workers of a store; undefined: this process asks. */
  readonly shards: number | undefined
  readonly redis: string | undefined
  readonly noShare: boolean
  readonly check: string | undefined
  readonly kind: PassRateKind | undefined
  readonly n: number | undefined
  readonly runs: string
  readonly json: boolean
}

/** Puts the options together as the profiler takes them. */
const inputOf = Effect.fnUntraced(function* (options: ServedOptions, questions: ServedProfileInput["questions"]) {
  const path = yield* Path.Path
  const { input: _input, model, output } = yield* checkServedOptions(options)
  const { certainty, floor } = { certainty: options.decideEarly, floor: options.floor }
  const early =
    certainty === undefined ? undefined : { drop_at: options.dropAt, floor, samples: options.samples, certainty }
  const made: ServedProfileInput = {
    questions,
    sampling: {
      api: options.api,
      model,
      system: options.system,
      temperature: options.temperature,
      max_tokens: options.maxTokens,
      seed: options.seed,
      samples: options.samples
    },
    rules: {
      rewards: yield* rewardsOf(options),
      pass_mark: options.passMark,
      credible_level: options.credibleLevel,
      early
    },
    filter: { drop_at: options.dropAt, floor },
    servers: {
      endpoints: options.endpoint,
      key: yield* apiKey(options.apiKeyEnv),
      concurrency: options.concurrency,
      choices: options.choices ?? options.samples,
      deadlineMillis: options.deadline * 1000,
      attempts: options.attempts,
      patienceMillis: options.patience * 1000
    },
    directory: path.resolve(output),
    artifacts: options.noShare ? undefined : path.resolve(options.runs, ".artifacts"),
    retryFailed: options.retryFailed,
    note: (totals, servers) => progressNote(totals, servers, options)
  }
  return made
})

const sum = (rows: ReadonlyArray<ServedRow>, of: (row: ServedRow) => number): number =>
  rows.reduce((total, row) => total + of(row), 0)

/** Everything that is said, as JSON; words are made of it. */
export interface ProfileResult {
  readonly questions: number
  readonly samples: number
  readonly asked: number
  readonly reused: number
  readonly passed: number
  readonly scored: number
  readonly unscored: number
  readonly failed: number
  readonly truncated: number
  readonly empty: number
  /** Scored questions by number of passes, without those that were dropped early. */
  readonly byLevel: Readonly<Record<string, number>>
  readonly cut: {
    readonly drop_at: number
    /** The least number of passes that is dropped; null: none is. */
    readonly passes: number | null
    readonly of: number
    readonly kept: number
    readonly dropped: Readonly<Record<string, number>>
    /** Expected share of the scored questions whose true rate is on the other side of the cut than the measured one. */
    readonly expected_misfiltered: number
  }
  readonly early?: ReturnType<typeof earlyFigures>
  /** Of the bounds: level of each side, and the Beta prior. */
  readonly credible_level: number
  readonly prior: readonly [number, number]
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly cost: number | null
  readonly requests: number
  readonly servers: ServedProfile["servers"]
  readonly shared: boolean
  readonly notes: ReadonlyArray<string>
  readonly check?: Agreement
  readonly digest: string
  readonly seconds: number
  readonly output: string
}

/** A rule that does not fit the file gives 0 everywhere, which looks like a hard one. */
const noneOf = (passed: number, scored: number): ReadonlyArray<string> =>
  passed > 0 || scored === 0
    ? []
    : [
        `none of ${scored} scored samples passes: do --accuracy, --answer and --gold fit? answers.jsonl has the answer that was taken from each`
      ]

const resultOf = (options: ServedOptions, input: ServedProfileInput, made: ServedProfile, seconds: number) => {
  const { rows } = made
  const { byReason, notes } = filter(rows, input.filter, options.samples)
  // a question that was dropped after four of four is at no level
  const { byLevel } = filter(
    rows.filter(({ early }) => !early),
    input.filter,
    options.samples
  )
  const { kept, ...dropped } = byReason
  const passes = Math.ceil(options.dropAt * options.samples - 1e-9)
  const [passed, scored] = [sum(rows, (row) => row.passed), sum(rows, (row) => row.scored)]
  const tokens = {
    prompt: sum(rows, (row) => row.prompt_tokens),
    completion: sum(rows, (row) => row.completion_tokens)
  }
  const result: ProfileResult = {
    questions: rows.length,
    samples: options.samples,
    asked: made.asked,
    reused: made.reused,
    passed,
    scored,
    unscored: sum(rows, (row) => row.n - row.scored),
    failed: sum(rows, (row) => row.failed),
    truncated: sum(rows, (row) => row.truncated),
    empty: sum(rows, (row) => row.empty),
    byLevel,
    cut: {
      drop_at: options.dropAt,
      passes: passes > options.samples ? null : passes,
      of: options.samples,
      kept,
      dropped,
      expected_misfiltered: misfilterRate(rows, input.filter, PRIOR)
    },
    ...(input.rules.early === undefined ? {} : { early: earlyFigures(rows, input.rules.early) }),
    credible_level: options.credibleLevel,
    prior: PRIOR,
    prompt_tokens: tokens.prompt,
    completion_tokens: tokens.completion,
    cost: costOf(tokens.prompt, tokens.completion, options),
    requests: made.servers.reduce((total, { requests }) => total + requests, 0),
    servers: made.servers,
    shared: made.shared,
    notes: [
      ...notes,
      ...boundNotes(options.samples, { ...input.filter, credible_level: options.credibleLevel }),
      ...noneOf(passed, scored)
    ],
    digest: made.digest,
    seconds: Math.round(seconds * 1000) / 1000,
    output: made.file
  }
  return result
}

/** Says how to go on after an end before the end, where there is something to go on with. */
const sayKept = Effect.fnUntraced(function* (directory: string) {
  const path = yield* Path.Path
  const kept = yield* Effect.orElseSucceed(exists(path.join(directory, "answers.jsonl")), () => false)
  if (kept) yield* say(`what was answered is stored in ${directory}: the same command goes on from there`)
})

const measuredHere = Effect.fnUntraced(function* (input: ServedProfileInput) {
  const { lease, scorer, wire } = yield* Engines
  return yield* servedProfile(input).pipe(
    Effect.provide([lease, scorer(input.rules.rewards), wire(input.servers.concurrency), TerminalProgress.layer])
  )
})

/** Measures, or goes on measuring; then says how the rates are spread, and with --check whether a column agrees. */
export const profileServed = Effect.fn("gradus.profileServed")(function* (options: ServedOptions) {
  const { input: file } = yield* checkServedOptions(options)
  const { column, questions } = yield* servedQuestions(file, options)
  const input = yield* inputOf(options, questions)
  const { directory } = input
  yield* say(`${questions.length} questions x ${options.samples} samples of ${input.sampling.model}, into ${directory}`)
  const { shards } = options
  const measured = shards === undefined ? measuredHere(input) : shardedProfile(input, { ...options, shards })
  const [made, seconds] = yield* timed(measured).pipe(
    Effect.onInterrupt(() => sayKept(directory)),
    Effect.tapErrorTag(["ServersSilent", "ServersRefused"], () => sayKept(directory))
  )
  const result = resultOf(options, input, made, seconds)
  const checked = column === undefined ? result : { ...result, check: agreement(column, made.rows, input.filter) }
  if (options.json) return yield* printJson(checked)
  for (const line of profileWords(checked)) yield* print(line)
})
