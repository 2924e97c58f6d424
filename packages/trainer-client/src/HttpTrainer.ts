/** The trainer port over HTTP (docs/trainer-protocol.md). A request is sent again with the same bytes; the trainer's ledger applies it once. */
import {
  CheckpointAnswer,
  DetokenizeAnswer,
  PublishAnswer,
  type PublishTarget,
  TokenizeAnswer,
  TrainerInfo,
  TrainerRun,
  UpdateAnswer
} from "@gradus/domain/TrainerMessages"
import { FORMAT, HEADER, MEDIA_TYPE } from "@gradus/domain/TrainerWire"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Hex from "effect/encoding/Hex"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import type { LogprobRow } from "./LogprobsCodec.ts"
import { decodeLogprobs, encodeLogprobsRequest } from "./LogprobsCodec.ts"
import { Trainer } from "./Trainer.ts"
import { TrainerAnswerInvalid, type TrainerError } from "./TrainerErrors.ts"
import * as TrainerExchange from "./TrainerExchange.ts"
import type { EncodedUpdate } from "./UpdateCodec.ts"

/** How long the service is asked to hold an answer back before it says 202. */
const WAIT_SECONDS = 20
/** An answer that is this late will not come on this connection. */
const SENT_WITHIN = `${WAIT_SECONDS + 15} seconds` as const
const WAITING = { [HEADER.prefer]: `wait=${WAIT_SECONDS}` }

const { decodeJson } = TrainerExchange
type Exchange = ReturnType<typeof TrainerExchange.make>

const withLease = (run: TrainerRun) => HttpClientRequest.setHeader(HEADER.lease, String(run.lease))
const withJson = (body: object) => HttpClientRequest.bodyJsonUnsafe({ format: FORMAT, ...body })

/** The RFC 9530 form of a SHA-256. */
const contentDigest = (digest: string): string => `sha-256=:${Base64.encode(Result.getOrThrow(Hex.decode(digest)))}:`

const putUpdate = (run: TrainerRun, { bytes, digest, update }: EncodedUpdate) =>
  HttpClientRequest.put(`/v1/runs/${run.run}/updates/${update}`).pipe(
    HttpClientRequest.bodyUint8Array(bytes, MEDIA_TYPE.arrow),
    HttpClientRequest.setHeaders({ ...WAITING, [HEADER.digest]: contentDigest(digest) }),
    withLease(run)
  )

const getUpdate = (run: string, update: number) =>
  HttpClientRequest.get(`/v1/runs/${run}/updates/${update}`, { headers: WAITING })

const stored = <A>(call: Effect.Effect<A, TrainerError>): Effect.Effect<Option.Option<A>, TrainerError> =>
  call.pipe(
    Effect.asSome,
    Effect.catchTag("TrainerRefused", (refused) =>
      refused.code === "update_unknown" ? Effect.succeedNone : Effect.fail(refused)
    )
  )

/** Reads the answer to an update; none while it runs (202). */
const readUpdate = (answer: TrainerExchange.Answer) =>
  answer.status === 202 ? Effect.succeedNone : Effect.asSome(decodeJson(UpdateAnswer)(answer))

/** Waits for an update's answer with long polls; none when the service does not know the update. */
const awaitUpdate = ({ ask }: Exchange, run: string, update: number) =>
  ask(getUpdate(run, update), readUpdate, SENT_WITHIN).pipe(
    Effect.repeat({ while: Option.isNone, schedule: Schedule.spaced("50 millis") }),
    Effect.map(Option.getOrThrow),
    stored
  )

const checkUpdate =
  (sent: EncodedUpdate) =>
  (answer: UpdateAnswer): Effect.Effect<UpdateAnswer, TrainerAnswerInvalid> =>
    answer.update === sent.update && answer.digest === sent.digest
      ? Effect.succeed(answer)
      : Effect.fail(
          new TrainerAnswerInvalid({
            url: `update ${sent.update}`,
            reason: `it speaks of update ${answer.update} with digest ${answer.digest}, not ${sent.digest}`
          })
        )

/** Sends an update until its answer is there. A service that restarted while it ran may not know it: then it is sent again. */
const applyUpdate = Effect.fnUntraced(function* (
  exchange: Exchange,
  run: TrainerRun,
  update: EncodedUpdate
): Effect.fn.Return<UpdateAnswer, TrainerError> {
  while (true) {
    const answer = yield* exchange.ask(putUpdate(run, update), readUpdate, SENT_WITHIN)
    if (Option.isSome(answer)) return answer.value
    const later = yield* awaitUpdate(exchange, run.run, update.update)
    if (Option.isSome(later)) return later.value
  }
})

/** A target as it is written: the key leaves its wrapping here alone. */
const written = ({ api_key, ...target }: PublishTarget) =>
  api_key === undefined ? target : { ...target, api_key: Redacted.value(api_key) }

const readLogprobs = (rows: ReadonlyArray<LogprobRow>) => (answer: TrainerExchange.Answer) =>
  Effect.try({
    try: () => decodeLogprobs(answer.body, rows),
    catch: (cause) => new TrainerAnswerInvalid({ url: answer.url, reason: String(cause) })
  })

const make = (exchange: Exchange): Trainer["Service"] => {
  const { ask, byDeadline } = exchange
  const call = <A>(
    request: HttpClientRequest.HttpClientRequest,
    read: (answer: TrainerExchange.Answer) => Effect.Effect<A, TrainerError>
  ) => ask(request, read).pipe(byDeadline(request.url))
  const post = (run: TrainerRun, what: string, body: object) =>
    HttpClientRequest.post(`/v1/runs/${run.run}/${what}`).pipe(withJson(body), withLease(run))
  return {
    info: call(HttpClientRequest.get("/v1/info"), decodeJson(TrainerInfo)).pipe(Effect.withSpan("HttpTrainer.info")),
    open: Effect.fn("HttpTrainer.open")((run, spec) =>
      call(HttpClientRequest.put(`/v1/runs/${run}`).pipe(withJson(spec)), decodeJson(TrainerRun))
    ),
    update: Effect.fn("HttpTrainer.update")((run, update) =>
      applyUpdate(exchange, run, update).pipe(
        byDeadline(`/v1/runs/${run.run}/updates/${update.update}`),
        Effect.flatMap(checkUpdate(update))
      )
    ),
    storedUpdate: Effect.fn("HttpTrainer.storedUpdate")((run, update) =>
      awaitUpdate(exchange, run.run, update).pipe(byDeadline(`/v1/runs/${run.run}/updates/${update}`))
    ),
    logprobs: Effect.fn("HttpTrainer.logprobs")((run, rows) =>
      call(
        HttpClientRequest.post(`/v1/runs/${run.run}/logprobs`).pipe(
          HttpClientRequest.bodyUint8Array(encodeLogprobsRequest(rows), MEDIA_TYPE.arrow)
        ),
        readLogprobs(rows)
      )
    ),
    checkpoint: Effect.fn("HttpTrainer.checkpoint")((run, name, { policy }) =>
      call(post(run, "checkpoints", { name, policy }), decodeJson(CheckpointAnswer))
    ),
    publish: Effect.fn("HttpTrainer.publish")((run, version, targets) =>
      call(post(run, "publish", { version, targets: targets.map(written) }), decodeJson(PublishAnswer))
    ),
    close: Effect.fn("HttpTrainer.close")((run) =>
      call(HttpClientRequest.delete(`/v1/runs/${run.run}`).pipe(withLease(run)), () => Effect.void)
    ),
    tokenize: Effect.fn("HttpTrainer.tokenize")((run, texts) =>
      Effect.map(call(post(run, "tokenize", { texts }), decodeJson(TokenizeAnswer)), ({ ids }) => ids)
    ),
    detokenize: Effect.fn("HttpTrainer.detokenize")((run, ids) =>
      Effect.map(call(post(run, "detokenize", { ids }), decodeJson(DetokenizeAnswer)), ({ texts }) => texts)
    )
  }
}

/** Reaches a trainer service at an address. The deadline holds for each call as a whole. */
export const layer = (options: TrainerExchange.ExchangeOptions): Layer.Layer<Trainer, never, HttpClient.HttpClient> =>
  Layer.effect(
    Trainer,
    Effect.map(HttpClient.HttpClient, (client) => Trainer.of(make(TrainerExchange.make(client, options))))
  )
