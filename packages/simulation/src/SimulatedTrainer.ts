/**
 * A trainer without weights: it keeps the protocol's promises (numbered updates applied exactly once, leases, replays, checkpoints) and moves the
 * abilities of the latent model by the advantages that it is sent. Errors and the codec belong to the port's package, which hands them in:
 * this package depends on the domain alone.
 */
import type {
  CheckpointAnswer,
  PublishAnswer,
  PublishTarget,
  TrainerInfo,
  TrainerRun,
  UpdateAnswer
} from "@gradus/domain/TrainerMessages"
import { FORMAT, LOSS, PROBLEM, type ProblemCode } from "@gradus/domain/TrainerWire"
import type { UpdateBatch, UpdateRow } from "@gradus/domain/UpdateBatch"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Answers from "./SimulatedAnswers.ts"
import * as Model from "./SimulatedModel.ts"
import { type SimulatedRun, type SimulatedState, weightsDigest } from "./SimulatedState.ts"

/** Why a call is refused, in the protocol's words. */
export interface Refusal {
  readonly status: number
  readonly code: ProblemCode
  readonly detail: string
  readonly retryable: boolean
  readonly expected?: number
}

export interface SimulatedTrainerOptions<E> {
  readonly questions: ReadonlyMap<string, Answers.SimulatedQuestion>
  readonly learning: Model.Learning
  /** Ability of a policy that is not an artifact, before anything is learnt. */
  readonly start: number
  /** Ability of the author of warm-up examples, and the share of the way to it that one update goes. */
  readonly author: number
  readonly imitation: number
  /** Decodes an update's bytes (`decodeUpdate` of trainer-client). */
  readonly decode: (bytes: Uint8Array) => Effect.Effect<UpdateBatch, { readonly message: string }>
  /** Makes the port's error of a refusal (`new TrainerRefused(refusal)` of trainer-client). */
  readonly refuse: (refusal: Refusal) => E
  /** Called with the state whenever a checkpoint makes it durable. */
  readonly save?: ((state: SimulatedState) => Effect.Effect<void>) | undefined
  /** Log-probabilities that the sampler gave a completion, by sample id; absent ones are not known to it. */
  readonly sampled: (sampleId: string) => ReadonlyArray<number> | undefined
}

/** An update as it is sent: of `EncodedUpdate` of trainer-client what is read here. */
export interface Encoded {
  readonly update: number
  readonly bytes: Uint8Array
  readonly digest: string
}

/** What opens a run: of `RunSpec` of trainer-client what is read here. */
export interface Spec {
  readonly policy: { readonly kind: string; readonly digest?: string }
}

const MAX_POSITIONS = 1_000_000

const infoOf = (state: SimulatedState): TrainerInfo => ({
  format: FORMAT,
  service: "gradus simulated policy",
  version: "simulated",
  torch: "none (simulated)",
  device: "simulated",
  cpu_capability: "simulated",
  threads: 1,
  determinism: "bitwise",
  losses: [...LOSS],
  max_body_bytes: 2_000_000_000,
  runs: Object.entries(state.runs).map(([run, { answers, version }]) => ({
    run,
    version,
    next_update: answers.length + 1
  })),
  memory: { resident_bytes: 0, peak_bytes: 0 }
})

const runAnswer = (name: string, run: SimulatedRun): TrainerRun => ({
  format: FORMAT,
  run: name,
  lease: run.lease,
  version: run.version,
  next_update: run.answers.length + 1,
  durable_update: run.durable,
  parameters: run.ability.knots.length,
  vocab_size: 65_536,
  max_positions: MAX_POSITIONS,
  end_token_id: Answers.END_TOKEN,
  policy_digest: weightsDigest(run.ability)
})

/** The question of a row: the third part of its group id, which may itself hold slashes. */
const questionOf = (groupId: string): string => groupId.split("/").slice(2).join("/")

/** Reads from its own tokens whether a completion is right: rewards may be shuffled, as a control does, and then must teach nothing. */
const isRight = ({ loss_mask, token_ids }: UpdateRow, gold: string): boolean => {
  const text = Answers.textOf(token_ids.filter((_, i) => loss_mask[i] === 1))
  return text.split("</think>").at(-1) === gold
}

const maskedTokens = ({ loss_mask }: UpdateRow): number => loss_mask.reduce<number>((sum, bit) => sum + bit, 0)

/** Counts the completions of an update, also those that were not sent: what its denominator stands for. */
const completionsOf = ({ header, rows }: UpdateBatch): number => {
  if (header.normaliser === "sequences") return header.denominator
  const tokens = rows.reduce((sum, row) => sum + maskedTokens(row), 0)
  return tokens === 0 ? rows.length : header.denominator / (tokens / rows.length)
}

/** Entropy of right or wrong, nats; 0 where the model is so sure that a double cannot tell. */
const entropyOf = (p: number): number => (p <= 0 || p >= 1 ? 0 : -(p * Math.log(p) + (1 - p) * Math.log(1 - p)))

const learnFrom = (run: SimulatedRun, batch: UpdateBatch, options: SimulatedTrainerOptions<unknown>) => {
  const { header, rows } = batch
  if (header.loss.kind === "cross_entropy") {
    const gap = Math.max(0, options.author - Model.abilityAt(run.ability, 0))
    return { ability: Model.imitate(run.ability, options.author, options.imitation), loss: gap, entropy: gap }
  }
  const reference = run.reference_rate ?? header.learning_rate
  const lessons = rows.flatMap((row): ReadonlyArray<Model.Lesson> => {
    const question = options.questions.get(questionOf(row.group_id))
    if (question === undefined || row.advantage === undefined) return []
    return [{ difficulty: question.difficulty, advantage: row.advantage, right: isRight(row, question.gold) }]
  })
  const scale = reference > 0 ? header.learning_rate / reference : 1
  const learning = { ...options.learning, gain: options.learning.gain * scale }
  const chances = lessons.map(({ difficulty }) => Model.passChance(run.ability, difficulty))
  const entropy = chances.reduce((sum, p) => sum + entropyOf(p), 0) / Math.max(1, chances.length)
  const loss = -lessons.reduce((sum, { advantage }) => sum + advantage, 0) / Math.max(1, completionsOf(batch))
  return { ability: Model.learn(run.ability, lessons, completionsOf(batch), learning), loss, entropy }
}

const answerOf = (
  name: string,
  update: Encoded,
  version: number,
  batch: UpdateBatch,
  made: ReturnType<typeof learnFrom>,
  before: Model.Ability
): UpdateAnswer => {
  const tokens = batch.rows.reduce((sum, row) => sum + row.token_ids.length, 0)
  const moved = made.ability.knots.map((level, k) => level - (before.knots[k] ?? 0))
  return {
    format: FORMAT,
    run: name,
    update: update.update,
    digest: update.digest,
    applied: true,
    replayed: false,
    reason: null,
    version,
    metrics: {
      loss: made.loss,
      entropy: made.entropy,
      grad_norm: Math.sqrt(moved.reduce((sum, each) => sum + each * each, 0)),
      "simulated/ability": made.ability.knots.reduce((sum, level) => sum + level, 0) / made.ability.knots.length
    },
    timings: {},
    usage: {
      sequences: batch.rows.length,
      tokens,
      loss_tokens: batch.rows.reduce((sum, row) => sum + maskedTokens(row), 0),
      padding_share: 0,
      peak_memory_bytes: 0
    }
  }
}

/** Makes the trainer over a state. Its methods are those of the port `Trainer`. */
export const simulatedTrainer = <E>(state: Ref.Ref<SimulatedState>, options: SimulatedTrainerOptions<E>) => {
  const refused = (code: ProblemCode, detail: string, expected?: number): Effect.Effect<never, E> =>
    Effect.fail(options.refuse({ ...PROBLEM[code], code, detail, ...(expected === undefined ? {} : { expected }) }))
  const put = (name: string, run: SimulatedRun): Effect.Effect<void> =>
    Ref.update(state, (now) => ({ ...now, runs: { ...now.runs, [name]: run } }))

  /** Finds a run and checks that the caller still holds it. */
  const held = Effect.fnUntraced(function* (handle: TrainerRun) {
    const run = (yield* Ref.get(state)).runs[handle.run]
    if (run === undefined) return yield* refused("run_unknown", `no run ${handle.run}`)
    if (run.lease !== handle.lease) {
      return yield* refused("stale_lease", `lease ${handle.lease} of ${handle.run} was taken over by ${run.lease}`)
    }
    return run
  })

  const open = Effect.fnUntraced(function* (name: string, { policy }: Spec) {
    const now = yield* Ref.get(state)
    const known = now.runs[name]
    const artifact = policy.digest === undefined ? undefined : now.artifacts[policy.digest]
    if (known === undefined && policy.kind === "artifact" && artifact === undefined) {
      return yield* refused("policy_unavailable", `no artifact ${policy.digest} in this simulation`)
    }
    const ability = artifact ?? Model.flat(options.start)
    const fresh = {
      lease: 0,
      version: 0,
      ability,
      reference_rate: null,
      answers: [],
      durable: 0
    }
    const run = { ...(known ?? fresh), lease: (known?.lease ?? 0) + 1 }
    yield* put(name, run)
    return runAnswer(name, run)
  })

  const update = Effect.fnUntraced(function* (handle: TrainerRun, encoded: Encoded) {
    const run = yield* held(handle)
    const next = run.answers.length + 1
    const stored = run.answers[encoded.update - 1]
    if (stored !== undefined) {
      if (stored.digest === encoded.digest) return { ...stored, replayed: true }
      return yield* refused("update_conflict", `update ${encoded.update} was applied with another digest`, next)
    }
    if (encoded.update !== next) return yield* refused("update_gap", `update ${encoded.update} is not the next`, next)
    const batch = yield* options
      .decode(encoded.bytes)
      .pipe(Effect.catch((error) => refused("arrow_malformed", error.message)))
    if (batch.rows.length === 0) return yield* refused("batch_empty", "an update needs a row")
    if (batch.header.parent_version !== run.version) {
      return yield* refused("version_conflict", `version ${batch.header.parent_version} is not ${run.version}`)
    }
    const made = learnFrom(run, batch, options)
    const answer = answerOf(handle.run, encoded, run.version + 1, batch, made, run.ability)
    const clipped = batch.header.loss.kind === "clipped"
    yield* put(handle.run, {
      ...run,
      ability: made.ability,
      version: run.version + 1,
      reference_rate:
        run.reference_rate ?? (clipped && batch.header.learning_rate > 0 ? batch.header.learning_rate : null),
      answers: [...run.answers, answer]
    })
    return answer
  })

  const checkpoint = Effect.fnUntraced(function* (
    handle: TrainerRun,
    name: string,
    { policy }: { readonly policy: boolean }
  ) {
    const run = yield* held(handle)
    const digest = weightsDigest(run.ability)
    yield* put(handle.run, { ...run, durable: run.answers.length })
    if (policy) yield* Ref.update(state, (now) => ({ ...now, artifacts: { ...now.artifacts, [digest]: run.ability } }))
    if (options.save !== undefined) yield* options.save(yield* Ref.get(state))
    const answer: CheckpointAnswer = {
      format: FORMAT,
      name,
      update: run.answers.length,
      version: run.version,
      digest,
      seconds: 0,
      path: null
    }
    return answer
  })

  /** Engines of a simulation hold whatever is published: only the order of the calls is checked. */
  const publish = Effect.fnUntraced(function* (
    handle: TrainerRun,
    version: number,
    targets: ReadonlyArray<PublishTarget>
  ) {
    const run = yield* held(handle)
    if (run.version !== version) return yield* refused("version_conflict", `version ${version} is not ${run.version}`)
    const answer: PublishAnswer = {
      format: FORMAT,
      run: handle.run,
      version,
      stage_seconds: 0,
      targets: targets.map(({ transport, url }) => ({ url, transport, bytes: 0, seconds: { total: 0 }, gap: {} }))
    }
    return answer
  })

  const logprobs = Effect.fnUntraced(function* (
    handle: TrainerRun,
    rows: ReadonlyArray<{ readonly sample_id: string; readonly token_ids: ReadonlyArray<number> }>
  ) {
    yield* held(handle)
    return yield* Effect.forEach(rows, ({ sample_id, token_ids }) => {
      const known = options.sampled(sample_id)
      if (known === undefined) return refused("field_invalid", `${sample_id} was not sampled from this simulation`)
      const prompt = token_ids.length - known.length
      const logprob = token_ids.map((_, i) => known[i - prompt] ?? 0)
      return Effect.succeed({ sample_id, logprob, entropy: token_ids.map(() => 0) })
    })
  })

  return {
    info: Effect.map(Ref.get(state), infoOf) as Effect.Effect<TrainerInfo, E>,
    open,
    update,
    logprobs,
    checkpoint,
    publish,
    storedUpdate: (handle: TrainerRun, number: number): Effect.Effect<Option.Option<UpdateAnswer>, E> =>
      Effect.map(held(handle), (run) => Option.fromUndefinedOr(run.answers[number - 1])),
    close: (handle: TrainerRun): Effect.Effect<void, E> => Effect.asVoid(held(handle)),
    tokenize: (
      _run: TrainerRun,
      texts: ReadonlyArray<string>
    ): Effect.Effect<ReadonlyArray<ReadonlyArray<number>>, E> => Effect.succeed(texts.map(Answers.tokensOf)),
    detokenize: (
      _run: TrainerRun,
      ids: ReadonlyArray<ReadonlyArray<number>>
    ): Effect.Effect<ReadonlyArray<string>, E> => Effect.succeed(ids.map(Answers.textOf))
  }
}
