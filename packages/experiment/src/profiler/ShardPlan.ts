/**
 * A profile cut into shards that any number of processes measure, each a profile of its own in a folder below the whole one's. The cut is written down
 * before anybody begins, so that whoever comes later, or again, works on the same shards.
 */
import type { FilterRule } from "@gradus/curriculum/Filter"
import { Question } from "@gradus/domain/Question"
import { RunName } from "@gradus/domain/Job"
import { RewardsSpec } from "@gradus/domain/manifest/Rewards"
import { readRows } from "@gradus/datasets/service/Rows"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { exists, readJson, RunFileFailed, writeFile, writeJson } from "../AtomicFile.ts"
import { asOwner } from "../Owner.ts"
import { identityOf } from "./ProfileIdentity.ts"
import { answersFile } from "./AnswerStore.ts"
import { beginProfile, type ServedProfileInput } from "./ServedProfile.ts"

const Early = Schema.Struct({
  drop_at: Schema.Finite,
  floor: Schema.optionalKey(Schema.Finite),
  samples: Schema.Int,
  certainty: Schema.Finite
})

export const Shard = Schema.Struct({
  /** Of its folder, its lease and its job: not that of any other shard of any profile beside this one. */
  name: RunName,
  questions: Schema.Int
})
export type Shard = typeof Shard.Type

/** `shards/plan.json`: everything that measuring a shard takes besides its questions. */
export const ShardPlan = Schema.Struct({
  format: Schema.Literal(1),
  /** Digest of the whole profile. */
  digest: Schema.String,
  sampling: Schema.Struct({
    api: Schema.Literals(["chat", "completions"]),
    model: Schema.String,
    system: Schema.optionalKey(Schema.String),
    temperature: Schema.Finite,
    max_tokens: Schema.Int,
    seed: Schema.optionalKey(Schema.Int),
    samples: Schema.Int
  }),
  rules: Schema.Struct({
    rewards: Schema.toType(RewardsSpec),
    pass_mark: Schema.Finite,
    credible_level: Schema.Finite,
    early: Schema.optionalKey(Early)
  }),
  filter: Schema.Struct({ drop_at: Schema.Finite, floor: Schema.optionalKey(Schema.Finite) }),
  servers: Schema.Struct({
    endpoints: Schema.Array(Schema.String),
    /** Name of the variable with the servers' key, which each worker has in its own environment. */
    api_key_env: Schema.optionalKey(Schema.String),
    concurrency: Schema.Int,
    choices: Schema.Int,
    deadlineMillis: Schema.Finite,
    attempts: Schema.Int,
    patienceMillis: Schema.Finite
  }),
  shards: Schema.Array(Shard)
})
export type ShardPlan = typeof ShardPlan.Type

const FOLDER = "shards"
const PLAN = "plan.json"
const QUESTIONS = "questions.jsonl"

/** Cuts `questions` into `count` runs of neighbours whose sizes differ by one at most; fewer where there are fewer questions. */
export const cut = (questions: ReadonlyArray<Question>, count: number): ReadonlyArray<ReadonlyArray<Question>> => {
  const shards = Math.min(count, questions.length)
  const from = (shard: number): number => Math.round((shard * questions.length) / shards)
  return Array.from({ length: shards }, (_, shard) => questions.slice(from(shard), from(shard + 1)))
}

/** What is absent is absent in JSON, too. */
const asStored = (value: unknown): Effect.Effect<ShardPlan> =>
  Effect.orDie(Schema.decodeUnknownEffect(ShardPlan)(JSON.parse(JSON.stringify(value))))

/** Names a shard: another profile in the same directory has others, so that nobody takes what was measured of that one for these. */
const shardName = (directory: string, digest: string, i: number): string =>
  `${directory}--${digest.slice(0, 12)}--${String(i).padStart(4, "0")}`

/** Where the shards of a profile lie. */
export const shardFolder = Effect.fnUntraced(function* (profile: string, shard: Shard | undefined) {
  const path = yield* Path.Path
  return shard === undefined ? path.join(profile, FOLDER) : path.join(profile, FOLDER, shard.name)
})

/** Where the answers of a shard are stored; there from the moment that a worker begins it. */
export const shardAnswers = Effect.fnUntraced(function* (profile: string, shard: Shard) {
  return yield* answersFile(yield* shardFolder(profile, shard))
})

/**
 * Writes a profile's shards, or finds those that an earlier call has written, whatever their number. Servers are where they are now and no part of a
 * profile: those of this call replace an earlier one's. `apiKeyEnv` names the servers' key. Fails with `ProfileChanged` where the directory holds
 * another profile.
 */
export const writeShards = Effect.fn("ShardPlan.write")(function* (
  input: ServedProfileInput,
  count: number,
  apiKeyEnv: string | undefined
) {
  const path = yield* Path.Path
  const { directory, filter, questions, rules, sampling } = input
  const { key: _key, ...servers } = input.servers
  const { digest } = identityOf(questions, sampling, rules)
  const file = path.join(yield* shardFolder(directory, undefined), PLAN)
  const cutUp = Effect.gen(function* () {
    const parts = cut(questions, count)
    const shards = parts.map((part, i) => ({
      name: shardName(path.basename(directory), digest, i),
      questions: part.length
    }))
    for (const [i, shard] of shards.entries()) {
      const lines = (parts[i] ?? []).map((question) => `${JSON.stringify(question)}\n`)
      yield* writeFile(path.join(yield* shardFolder(directory, shard), QUESTIONS), lines.join(""))
    }
    return shards
  })
  const work = Effect.gen(function* () {
    yield* beginProfile(input)
    const before = (yield* exists(file)) ? yield* readJson(ShardPlan, file) : undefined
    const shards = before === undefined ? yield* cutUp : before.shards
    const plan = yield* asStored({
      format: 1,
      digest,
      sampling,
      rules,
      filter,
      servers: { ...servers, api_key_env: apiKeyEnv },
      shards
    })
    yield* writeJson(file, plan)
    return plan
  })
  return yield* asOwner(directory, work)
})

/** Reads the plan of a profile's shards. */
export const readPlan = Effect.fn("ShardPlan.read")(function* (directory: string) {
  const path = yield* Path.Path
  return yield* readJson(ShardPlan, path.join(yield* shardFolder(directory, undefined), PLAN))
})

const decodeQuestions = Schema.decodeUnknownEffect(Schema.Array(Question))

/** What measuring a shard takes. */
export const shardInput = Effect.fn("ShardPlan.input")(function* (
  plan: ShardPlan,
  directory: string,
  shard: Shard,
  given: {
    readonly key: Redacted.Redacted | undefined
    readonly retryFailed: boolean
    readonly note: ServedProfileInput["note"]
  }
) {
  const path = yield* Path.Path
  const folder = yield* shardFolder(directory, shard)
  const file = path.join(folder, QUESTIONS)
  const rows = yield* readRows(file)
  const questions = yield* decodeQuestions(rows.map(({ values }) => values)).pipe(
    Effect.mapError((error) => new RunFileFailed({ file, operation: "read", reason: error.message }))
  )
  const { key, note, retryFailed } = given
  const { api_key_env: _named, ...servers } = plan.servers
  const filter: FilterRule = plan.filter
  const input: ServedProfileInput = {
    questions,
    sampling: plan.sampling,
    rules: plan.rules,
    filter,
    servers: { ...servers, key },
    directory: folder,
    artifacts: undefined,
    retryFailed,
    note
  }
  return input
})
