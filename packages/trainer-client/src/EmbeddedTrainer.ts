/**
 * A trainer process that belongs to its scope: started with it, stopped with it. Its standard input is kept open, and it ends when that closes,
 * so it dies with us even by kill -9.
 */
import { TrainerReady } from "@gradus/domain/TrainerMessages"
import { TOKEN_VARIABLE } from "@gradus/domain/TrainerWire"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as ChildProcess from "effect/process/ChildProcess"
import type * as ChildProcessSpawner from "effect/process/ChildProcessSpawner"
import type * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { TrainerAddress } from "./TrainerAddress.ts"

export interface EmbeddedTrainerOptions {
  /** The Python that has `gradus_trainer`. */
  readonly python: string
  /** Directory for what is needed to go on after a crash. */
  readonly state: string
  /** Directory of policies by weight digest. */
  readonly artifacts: string
  readonly threads: number
  readonly device: "auto" | "cpu" | "cuda"
  /** Workers that the policy is cut over, and whole copies of it among them; absent: the service trains by itself. */
  readonly workers?: { readonly processes: number; readonly replicas: number }
  /** The bearer token that the service will ask for. */
  readonly token: Redacted.Redacted
  /** Loopback port to listen on; any free one unless told. */
  readonly port?: number
  /** Whether a trainer that has the state is asked to leave: for the owner of the run that the state belongs to. */
  readonly takeOver?: boolean
  /** Added to our own environment. */
  readonly environment?: Readonly<Record<string, string>>
  /** How long it may take to say that it is ready; 120 s unless told (importing torch takes seconds). */
  readonly startWithin?: Duration.Input
  /** Takes each line that the service writes to its log. */
  readonly log?: (line: string) => Effect.Effect<void>
}

/** The exit status of a trainer that finds another one on its state. */
const STATE_TAKEN = 75

/** Reports that the process ended or stayed silent before it was ready. */
export class TrainerStartFailed extends Schema.TaggedError<TrainerStartFailed>()("TrainerStartFailed", {
  reason: Schema.String,
  /** The last lines of its standard error. */
  stderrTail: Schema.Array(Schema.String)
}) {
  /** Another process has the state and does not leave: it may have left later. */
  get retryable(): boolean {
    return this.reason.endsWith(`status ${STATE_TAKEN}`)
  }
  override get message() {
    return [`the trainer did not start: ${this.reason}`, ...this.stderrTail].join("\n")
  }
}

const TAIL = 20
const decodeReady = Schema.decodeUnknownEffect(Schema.fromJsonString(TrainerReady))

const command = (options: EmbeddedTrainerOptions) =>
  ChildProcess.make(
    options.python,
    `-m gradus_trainer --watch-stdin --threads ${options.threads} --device ${options.device} --port ${options.port ?? 0}`
      .split(" ")
      .concat("--state", options.state, "--artifacts", options.artifacts)
      .concat(options.takeOver === true ? "--take-over" : [])
      .concat(
        options.workers === undefined
          ? []
          : [`--nproc=${options.workers.processes}`, `--replicas=${options.workers.replicas}`]
      ),
    {
      env: { ...options.environment, PYTHONUNBUFFERED: "1", [TOKEN_VARIABLE]: options.token },
      extendEnv: true,
      stdin: { stream: Stream.never, endOnDone: false },
      killSignal: "SIGTERM",
      // a trainer that does not leave is killed: what it had applied is in its ledger, what it had not is sent again
      forceKillAfter: "8 seconds"
    }
  )

type Handle = ChildProcessSpawner.ChildProcessHandle

const lines = (bytes: Handle["stdout"]) => bytes.pipe(Stream.decodeText(), Stream.splitLines)

/** Starts the process and waits for its first line. */
const start = Effect.fnUntraced(function* (options: EmbeddedTrainerOptions) {
  const tail = yield* Ref.make<ReadonlyArray<string>>([])
  const failed = (reason: string) =>
    Effect.flatMap(Ref.get(tail), (stderrTail) => Effect.fail(new TrainerStartFailed({ reason, stderrTail })))
  const log = options.log ?? (() => Effect.void)

  const handle = yield* command(options).pipe(Effect.catch((error) => failed(error.message)))
  const first = yield* Deferred.make<string>()
  yield* lines(handle.stdout).pipe(
    Stream.runForEach((line) => Deferred.succeed(first, line)),
    Effect.ignore,
    Effect.forkScoped
  )
  const logged = yield* lines(handle.stderr).pipe(
    Stream.runForEach((line) =>
      Effect.andThen(
        Ref.update(tail, (kept) => [...kept, line].slice(-TAIL)),
        log(line)
      )
    ),
    Effect.ignore,
    Effect.forkScoped
  )

  const ended = handle.exitCode.pipe(
    Effect.map((code) => `it ended with status ${code}`),
    Effect.catch((error) => Effect.succeed(error.message)),
    Effect.tap(Effect.timeoutOption(Fiber.await(logged), "1 second")),
    Effect.flatMap(failed)
  )
  const startWithin = Duration.fromInputUnsafe(options.startWithin ?? "120 seconds")
  const line = yield* Effect.raceFirst(Deferred.await(first), ended).pipe(
    Effect.timeoutOrElse({
      duration: startWithin,
      orElse: () => failed(`it said nothing for ${Duration.toSeconds(startWithin)} s`)
    })
  )
  const ready = yield* decodeReady(line).pipe(
    Effect.catch((error) => failed(`its first line is not what it should be: ${line.slice(0, 200)}: ${error.message}`))
  )
  return TrainerAddress.of({ url: ready.url, token: options.token, pid: ready.pid })
})

/** Runs `python -m gradus_trainer` as long as the layer lives and says where it is reached. */
export const layer = (
  options: EmbeddedTrainerOptions
): Layer.Layer<TrainerAddress, TrainerStartFailed, ChildProcessSpawner.ChildProcessSpawner> =>
  Layer.effect(TrainerAddress, start(options))
