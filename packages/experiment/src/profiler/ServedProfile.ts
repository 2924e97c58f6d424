/**
 * Profile without a manifest: n samples of every question from OpenAI-compatible servers, scored and stored as they come. Whatever is stored is never
 * asked again: a call with the same questions, model, sampling and rules goes on where the last one ended, however it ended.
 */
import type { FilterRule } from "@gradus/curriculum/Filter"
import { decodeRows, encodeRows } from "@gradus/datasets/Parquet"
import type { Question } from "@gradus/domain/Question"
import * as Seed from "@gradus/domain/Seed"
import type { ServerReading } from "@gradus/inference/PoolServer"
import * as SamplePool from "@gradus/inference/SamplePool"
import type { SamplePoolOptions, SampleTask, SampleTasks } from "@gradus/inference/SampleTasks"
import { probeServers } from "@gradus/inference/ServerProbe"
import { Scorer } from "@gradus/rewards/service/Scorer"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import * as Artifacts from "../Artifacts.ts"
import { exists, readFile, readJson, writeFile, writeJson } from "../AtomicFile.ts"
import { asOwner } from "../Owner.ts"
import * as Progress from "../Progress.ts"
import { recordOf, type StoredAnswer } from "./AnswerRecord.ts"
import { type AnswerStore, openAnswers, readAnswers } from "./AnswerStore.ts"
import {
  changedFields,
  identityOf,
  ProfileIdentity,
  type ProfileRules,
  type ProfileSampling
} from "./ProfileIdentity.ts"
import { answersOf, failuresOf, scoreRequests, wellFormed } from "./ServedAnswers.ts"
import { ServedRow, servedRows, withReasons } from "./ServedRows.ts"
import { Tally, type Totals } from "./Tally.ts"

/** The directory holds a profile of something else. */
export class ProfileChanged extends Schema.TaggedError<ProfileChanged>()("ProfileChanged", {
  directory: Schema.String,
  fields: Schema.Array(Schema.Struct({ field: Schema.String, stored: Schema.String, asked: Schema.String }))
}) {
  override get message(): string {
    const named = this.fields.map(({ asked, field, stored }) => `${field} is ${stored} there and ${asked} now`)
    return `${this.directory} holds another profile: ${named.join("; ")}. Name another output directory, or ask for the same`
  }
}

export interface ServedProfileInput {
  readonly questions: ReadonlyArray<Question>
  readonly sampling: ProfileSampling
  readonly rules: ProfileRules
  /** For the column `reason`. */
  readonly filter: FilterRule
  readonly servers: Pick<
    SamplePoolOptions,
    "endpoints" | "key" | "concurrency" | "choices" | "deadlineMillis" | "attempts" | "patienceMillis"
  >
  readonly directory: string
  /** Directory of stage outputs that are shared; absent: neither looked into nor added to. */
  readonly artifacts: string | undefined
  /** Directories of shards (ShardPlan) whose answers are taken over before anything is asked; absent: none. */
  readonly shards?: ReadonlyArray<string>
  /** Asks once more for what earlier calls could not have. */
  readonly retryFailed: boolean
  /** A few words for whoever watches, from the sums so far. */
  readonly note: (totals: Totals, servers: ReadonlyArray<ServerReading>) => string
}

export interface ServedProfile {
  readonly rows: ReadonlyArray<ServedRow>
  readonly digest: string
  /** Samples that this call asked for and stored (failures too), and those that were there. */
  readonly asked: number
  readonly reused: number
  /** Whether the table was found ready among the shared stage outputs. */
  readonly shared: boolean
  readonly file: string
  readonly servers: ReadonlyArray<ServerReading>
}

const STAGE = "profile"
const TABLE = "profile.parquet"
const IDENTITY = "profile.json"
const PROGRESS_MILLIS = 200
/** Answers of shards that are written at once. */
const TAKEN_TOGETHER = 1000
/** The first look at a server is answered at once or not at all. */
const PROBE_MILLIS = 10_000

/** The list of a pool, over a tally; sample k of a question has the seed of its base + k. */
const tasksOf = ({ questions, sampling }: ServedProfileInput, tally: Tally): SampleTasks => {
  const root = sampling.seed === undefined ? undefined : Seed.child(Seed.root(sampling.seed), STAGE)
  return {
    giveBack: (question, ks) => tally.giveBack(question, ks),
    available: () => tally.available(),
    finished: () => tally.finished(),
    take: (limit) => {
      const taken = tally.take(limit)
      if (taken === undefined) return undefined
      const { question_id, question: text } = questions[taken.question] ?? { question_id: "", question: "" }
      if (root === undefined) return { ...taken, text }
      return { ...taken, text, seed: Seed.toInt(Seed.child(root, question_id)) + (taken.ks[0] ?? 0) }
    }
  }
}

/** Says how far it is, at most every so often. */
const reporter = Effect.fnUntraced(function* (input: ServedProfileInput, tally: Tally) {
  const clock = yield* Clock.Clock
  let shown = -Infinity
  let ended = false
  return (readings: () => ReadonlyArray<ServerReading>): Effect.Effect<void> =>
    Effect.suspend(() => {
      const at = clock.currentTimeMillisUnsafe()
      if (ended || (at - shown < PROGRESS_MILLIS && !tally.finished())) return Effect.void
      shown = at
      ended = tally.finished()
      const totals = tally.totals()
      const total = input.questions.length * input.sampling.samples - totals.spared
      const note = input.note(totals, readings())
      return Progress.report({
        stage: STAGE,
        done: totals.settled,
        total,
        unit: "samples",
        ...(note === "" ? {} : { note })
      })
    })
})

/** Asks for everything that is not settled; scores and stores what comes. */
const askRest = Effect.fn("ServedProfile.askRest")(function* (
  input: ServedProfileInput,
  tally: Tally,
  store: AnswerStore
) {
  const scorer = yield* Scorer
  const report = yield* reporter(input, tally)
  let readings = (): ReadonlyArray<ServerReading> => []

  const keep = (question: number, answers: ReadonlyArray<StoredAnswer>): Effect.Effect<void> =>
    Effect.suspend(() => {
      for (const answer of answers) tally.settle(recordOf(answer, question, 0))
      tally.advance(question)
      return Effect.andThen(store.append(question, answers), report(readings))
    })
  const questionOf = ({ question }: SampleTask): Question =>
    input.questions[question] ?? { question_id: "", question: "", gold: "", thinking: "off" }

  const pool = yield* SamplePool.make(tasksOf(input, tally), {
    ...input.servers,
    spec: input.sampling,
    answered: (task, given, server) => {
      const question = questionOf(task)
      const texts = wellFormed(given, task.ks.length)
      return Effect.flatMap(scorer.score(scoreRequests(question, task.ks, texts)), (scores) =>
        keep(task.question, answersOf(question, task.ks, texts, scores, server))
      )
    },
    failed: (task, reason, server) => keep(task.question, failuresOf(questionOf(task), task.ks, reason, server))
  })
  readings = pool.readings
  yield* report(readings)
  yield* Effect.raceFirst(pool.run, store.broken)
  return readings()
})

/** Fails where a directory holds another profile; says whether it holds this one. */
const isBegun = Effect.fnUntraced(function* (directory: string, file: string, identity: ProfileIdentity) {
  if (!(yield* exists(file))) return false
  const stored = yield* readJson(ProfileIdentity, file)
  if (stored.digest === identity.digest) return true
  return yield* new ProfileChanged({ directory, fields: changedFields(stored.identity, identity.identity) })
})

/** Makes a directory that of this profile, or finds that it is; the caller owns it. Fails where it holds another one. */
export const beginProfile = Effect.fn("ServedProfile.begin")(function* (input: ServedProfileInput) {
  const path = yield* Path.Path
  const identity = identityOf(input.questions, input.sampling, input.rules)
  const file = path.join(input.directory, IDENTITY)
  if (!(yield* isBegun(input.directory, file, identity))) yield* writeJson(file, identity)
})

/** Whether a table of the same lies among the shared stage outputs. */
export const isShared = Effect.fn("ServedProfile.isShared")(function* (input: ServedProfileInput) {
  const { digest } = identityOf(input.questions, input.sampling, input.rules)
  return input.artifacts !== undefined && (yield* Artifacts.find(input.artifacts, STAGE, digest)) !== undefined
})

/** Warns of servers that cannot be reached; fails when that is all of them. */
const probe = Effect.fnUntraced(function* ({ servers }: ServedProfileInput) {
  const missing = yield* probeServers(servers.endpoints, servers.key, Math.min(PROBE_MILLIS, servers.deadlineMillis))
  for (const { endpoint, reason } of missing)
    yield* Effect.logWarning(`${endpoint} cannot be reached (${reason}); the others go on without it until it can`)
})

/** Takes over what shards have measured and is not here yet. A call that is cut off in the middle goes on where it was. */
const takeOver = Effect.fn("ServedProfile.takeOver")(function* (
  shards: ReadonlyArray<string>,
  placeOf: (id: string) => number | undefined,
  tally: Tally,
  store: AnswerStore
) {
  const waiting: Array<Effect.Effect<void>> = []
  const flush = Effect.suspend(() => Effect.all(waiting.splice(0), { concurrency: "unbounded", discard: true }))
  for (const shard of shards)
    yield* readAnswers(shard, (answer) => {
      const question = placeOf(answer.question_id)
      if (question !== undefined && tally.settle(recordOf(answer, question, 0)))
        waiting.push(store.append(question, [answer]))
      return waiting.length < TAKEN_TOGETHER ? Effect.void : flush
    }).pipe(Effect.andThen(flush), Effect.raceFirst(store.broken))
})

/** Measures what is not stored yet, in a directory that is ours. */
const measure = Effect.fn("ServedProfile.measure")(function* (input: ServedProfileInput, probed: boolean) {
  const { filter, questions, rules, sampling } = input
  const tally = new Tally({
    questions: questions.length,
    samples: sampling.samples,
    passMark: rules.pass_mark,
    early: rules.early,
    consecutive: sampling.seed !== undefined
  })
  let places: Map<string, number> | undefined
  const placeOf = (id: string) => (places ??= new Map(questions.map(({ question_id }, i) => [question_id, i]))).get(id)
  const store = yield* openAnswers({ directory: input.directory, placeOf, each: (record) => tally.settle(record) })
  if (input.retryFailed) tally.reopenFailed()
  const reused = tally.totals().settled
  yield* takeOver(input.shards ?? [], placeOf, tally, store)
  tally.begin()
  if (!tally.finished() && !probed) yield* probe(input)
  const servers = tally.finished() ? [] : yield* askRest(input, tally, store)
  const rows = servedRows(questions, (question) => tally.countsOf(question), rules.credible_level, filter)
  return { rows, asked: tally.totals().settled - reused, reused, servers, shared: false }
}, Effect.scoped)

/** A table that another call has made of the same. */
const findShared = Effect.fnUntraced(function* ({ artifacts, filter }: ServedProfileInput, digest: string) {
  const path = yield* Path.Path
  const found = artifacts === undefined ? undefined : yield* Artifacts.find(artifacts, STAGE, digest)
  if (found === undefined) return undefined
  const file = path.join(found, TABLE)
  const rows = withReasons(yield* decodeRows(ServedRow, yield* readFile(file), file), filter)
  const reused = rows.reduce((sum, { n }) => sum + n, 0)
  return { rows, asked: 0, reused, servers: [] as ReadonlyArray<ServerReading>, shared: true }
})

/**
 * Measures, or finds what was measured. The directory is this process's own meanwhile (RunLease); `profile.parquet` is there when it is whole.
 * Fails with `ProfileChanged`, `RunOwned`, `ServersSilent`, `ServersRefused`, `AnswersUnreadable`, `RunFileFailed`; what is stored stays.
 */
export const servedProfile = Effect.fn("ServedProfile.servedProfile")(function* (input: ServedProfileInput) {
  const path = yield* Path.Path
  const { directory } = input
  const identity = identityOf(input.questions, input.sampling, input.rules)
  const [file, identityFile] = [path.join(directory, TABLE), path.join(directory, IDENTITY)]
  const begun = yield* isBegun(directory, identityFile, identity)
  const found = begun ? undefined : yield* findShared(input, identity.digest)
  // before anything is written: a wrong address or key leaves nothing behind
  if (!begun && found === undefined) yield* probe(input)
  const work = Effect.gen(function* () {
    if (!(yield* isBegun(directory, identityFile, identity))) yield* writeJson(identityFile, identity)
    const measured = found ?? (yield* measure(input, !begun))
    const bytes = yield* encodeRows(ServedRow, measured.rows)
    yield* writeFile(file, bytes)
    // what could not be had may be had by another call: only whole profiles are shared
    const whole = measured.rows.every(({ failed }) => failed === 0)
    if (input.artifacts !== undefined && found === undefined && whole)
      yield* Artifacts.publish(input.artifacts, STAGE, identity.digest, path.basename(directory), {
        [TABLE]: bytes,
        [IDENTITY]: `${JSON.stringify(identity, null, 2)}\n`
      })
    const profile: ServedProfile = { ...measured, digest: identity.digest, file }
    return profile
  })
  return yield* asOwner(directory, work)
})
