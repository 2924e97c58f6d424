/**
 * One attempt at a simulated run, as a process of its own: `node simulatedRun.ts MANIFEST RUNS SURVIVES REPORT [path=value …]`, with REPORT `report` or `none`.
 * `GRADUS_KILL_AT` ends it by kill -9; with `GRADUS_REDIS` the run's lease is taken there.
 */
import { finished, run } from "@gradus/experiment/Run"
import { load } from "@gradus/manifest/service/Load"
import { layer as embedded } from "@gradus/store/EmbeddedRunLease"
import * as KillPoint from "@gradus/testing/KillPoint"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { LEASE_SECONDS } from "./leased.ts"
import { engines, type Survives } from "./simulated.ts"

const LEASE = Duration.seconds(LEASE_SECONDS)
const [manifestFile = "", runs = "", survives = "", report = "", ...overrides] = process.argv.slice(2)
const { GRADUS_KILL_AT, GRADUS_KILL_LOG, GRADUS_REDIS } = process.env
const point = GRADUS_KILL_AT === undefined ? undefined : KillPoint.parse(GRADUS_KILL_AT)
// a moment that cannot be read would be a kill that never comes, without a word
if (GRADUS_KILL_AT !== undefined && point === undefined) throw new Error(`${GRADUS_KILL_AT} is not <moment>#<n>`)
/** Loaded where it is asked for: a process that dies at once is mostly its start. */
const inRedis = (url: string) =>
  Layer.unwrap(
    Effect.map(
      Effect.promise(() => import("@gradus/store/redis/RedisStore")),
      ({ layer }) => layer({ url, ttl: LEASE, lock: LEASE })
    )
  )
const lease = GRADUS_REDIS === undefined ? embedded : inRedis(GRADUS_REDIS)
const platform = Layer.merge(
  NodeServices.layer,
  KillPoint.layer(point, GRADUS_KILL_LOG).pipe(Layer.provide(NodeServices.layer))
)

const main = Effect.gen(function* () {
  const loaded = yield* load(manifestFile, overrides)
  const root = `${runs}/torture--${loaded.digest.slice(0, 12)}`
  const input = {
    resolved: loaded,
    written: loaded.sources.at(-1)?.text ?? "",
    base: loaded.directory,
    root,
    report: report === "report",
    origin: {
      commit: null,
      dirty: null,
      locks: {},
      versions: { node: process.versions.node },
      hardware: { cpus: 0, cpu_model: "simulated", memory_bytes: 0, platform: process.platform }
    }
  }
  const place = { root, base: loaded.directory, survives: survives as Survives }
  // as the command line does: what is finished is not begun again
  const summary =
    (yield* finished(input)) ?? (yield* run(input, engines(loaded.manifest, place).pipe(Layer.provide(platform))))
  process.stdout.write(`${JSON.stringify(summary)}\n`)
}).pipe(Effect.provide([platform, lease]))

NodeRuntime.runMain(main)
