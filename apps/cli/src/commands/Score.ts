/** `gradus score`: rewards alone, on a file of completions. */
import { AccuracyRule, AnswerRule, FormatRule, RewardsSpec } from "@gradus/domain/manifest/Rewards"
import type { ScoreRequest } from "@gradus/domain/Score"
import { timed } from "@gradus/experiment/Records"
import { Scorer } from "@gradus/rewards/service/Scorer"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Engines } from "../Engines.ts"
import { print, printJson } from "../Output.ts"
import { decodeFile, writeRows } from "../RowFile.ts"
import { refuseUnless } from "../UnusedFlags.ts"
import { UsageError } from "../UsageError.ts"

/** A row to be scored; other columns are ignored. */
const ScoreRow = Schema.Struct({
  id: Schema.Union([Schema.String, Schema.Finite]),
  question: Schema.optionalKey(Schema.String),
  gold: Schema.Union([Schema.String, Schema.Finite]),
  completion: Schema.String,
  thinking: Schema.Literals(["on", "off"]),
  truncated: Schema.optionalKey(Schema.Boolean),
  tokens: Schema.optionalKey(Schema.Int)
})

/** Which rules score, as flags name them. */
export interface RuleOptions {
  readonly accuracy: string
  readonly answer: string
  readonly format: string
  readonly judgeUrl: string | undefined
  readonly judgeModel: string | undefined
  readonly judgeKeyEnv: string | undefined
}

export interface ScoreOptions extends RuleOptions {
  readonly input: string
  readonly output: string
  readonly json: boolean
}

const RULES = { accuracy: AccuracyRule, answer: AnswerRule, format: FormatRule } as const

/** Says which option names a rule that does not exist. */
const checkRules = Effect.fnUntraced(function* (options: RuleOptions) {
  for (const name of ["accuracy", "answer", "format"] as const) {
    const known: ReadonlyArray<string> = RULES[name].literals
    if (!known.includes(options[name]))
      return yield* new UsageError({ reason: `--${name} ${options[name]}: is none of ${known.join(", ")}` })
  }
})

/** Makes the rewards that flags describe. */
export const rewardsOf = Effect.fnUntraced(function* (options: RuleOptions) {
  yield* checkRules(options)
  const { judgeKeyEnv, judgeModel, judgeUrl } = options
  yield* refuseUnless(options.accuracy === "judge", { judgeUrl, judgeModel, judgeKeyEnv }, "without --accuracy judge")
  const judge =
    options.judgeUrl === undefined
      ? {}
      : {
          judge: {
            endpoint: options.judgeUrl,
            model: options.judgeModel ?? "",
            ...(options.judgeKeyEnv === undefined ? {} : { api_key: { env: options.judgeKeyEnv } })
          }
        }
  const written = { accuracy: options.accuracy, answer: options.answer, format: options.format, ...judge }
  const spec = yield* Schema.decodeUnknownEffect(RewardsSpec)(written).pipe(
    Effect.mapError((error) => new UsageError({ reason: error.message }))
  )
  if (spec.accuracy === "judge" && (spec.judge === undefined || spec.judge.model === ""))
    return yield* new UsageError({ reason: "--accuracy judge needs --judge-url and --judge-model" })
  return spec
})

const requestOf = ({ gold, id, ...rest }: typeof ScoreRow.Type): ScoreRequest => ({
  id: String(id),
  gold: String(gold),
  ...rest
})

/** Judgements are waited for together, rules one after the other, so that each row has a time of its own. */
const scoreAll = Effect.fnUntraced(function* (requests: ReadonlyArray<ScoreRequest>, judged: boolean) {
  const scorer = yield* Scorer
  const scoreOne = (request: ScoreRequest) => timed(scorer.score([request]))
  if (!judged)
    return yield* Effect.forEach(requests, (request) =>
      Effect.map(scoreOne(request), ([[score], seconds]) => ({ score, ms: seconds * 1000 }))
    )
  const scores = yield* scorer.score(requests)
  return scores.map((score) => ({ score, ms: score.verdict?.ms ?? 0 }))
})

/** Scores a file into another, row by row in the same order. */
export const score = Effect.fn("gradus.score")(function* (options: ScoreOptions) {
  const spec = yield* rewardsOf(options)
  const requests = (yield* decodeFile(ScoreRow, options.input)).map(requestOf)
  const scored = yield* Effect.provide(scoreAll(requests, spec.accuracy === "judge"), (yield* Engines).scorer(spec))
  const written = scored.map(({ ms, score: one }, index) => {
    const { answer = null, components = {}, unscored, value = null } = one ?? {}
    const id = requests[index]?.id
    const reason = unscored === undefined ? {} : { unscored }
    const failure = one?.verdict?.failure === undefined ? {} : { failure: one.verdict.failure }
    return { id, value, ...reason, ...failure, answer, components, ms: Math.round(ms * 1000) / 1000 }
  })
  yield* writeRows(options.output, written)
  const values = scored.flatMap(({ score: one }) => (one?.value == null ? [] : [one.value]))
  const mean = values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length
  const result = {
    rows: requests.length,
    scored: values.length,
    unscored: requests.length - values.length,
    mean,
    output: options.output
  }
  const failure = scored.find(({ score: one }) => one?.verdict?.failure !== undefined)?.score?.verdict?.failure
  if (failure !== undefined) yield* Effect.logWarning(`the judge failed: ${failure}`)
  yield* options.json
    ? printJson(result)
    : print(`${result.rows} rows, ${result.scored} scored, mean ${mean?.toFixed(4) ?? "-"}: ${options.output}`)
})
