/**
 * The program `gradus` with a simulated policy behind it: `node torture/simulatedGradus.ts worker --redis …`, `sweep run …`. Its stores are the real ones, and so are its
 * processes; only what a policy answers is simulated. `GRADUS_SLOW=<milliseconds>` makes each generation take so long,
 * `GRADUS_PATIENCE=<seconds>` is how long a Redis that is away is waited for, `GRADUS_KILL_AT=<moment>#<n>` ends it by kill -9.
 */
import { Engines } from "@gradus/cli/Engines"
import { exitCodeOf, messageOf } from "@gradus/cli/ExitCode"
import { gradus } from "@gradus/cli/Gradus"
import { simulation } from "@gradus/cli/engines/Simulation"
import { store } from "@gradus/cli/engines/Store"
import { Generator } from "@gradus/inference/Generator"
import { SimulationSettings } from "@gradus/simulation/SimulationSettings"
import { layer as embeddedLease } from "@gradus/store/EmbeddedRunLease"
import * as KillPoint from "@gradus/testing/KillPoint"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import type * as Cause from "effect/Cause"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

const { GRADUS_KILL_AT, GRADUS_KILL_LOG } = process.env
const point = GRADUS_KILL_AT === undefined ? undefined : KillPoint.parse(GRADUS_KILL_AT)
if (GRADUS_KILL_AT !== undefined && point === undefined) throw new Error(`${GRADUS_KILL_AT} is not <moment>#<n>`)
const platform = Layer.merge(
  NodeServices.layer,
  KillPoint.layer(point, GRADUS_KILL_LOG).pipe(Layer.provide(NodeServices.layer))
)
const slow = Number(process.env["GRADUS_SLOW"] ?? 0)
const patience = process.env["GRADUS_PATIENCE"] === undefined ? undefined : Number(process.env["GRADUS_PATIENCE"])

/** Waits before each generation, so that a test can stop a process in the middle. */
const slowly = Layer.effect(
  Generator,
  Effect.map(Generator, (generator) => ({
    ...generator,
    generate: (request: Parameters<typeof generator.generate>[0]) =>
      Effect.andThen(Effect.sleep(slow), generator.generate(request))
  }))
)

const settings = Schema.decodeUnknownSync(SimulationSettings)({})
const absent = (what: string) => () => Layer.effectContext(Effect.die(`a simulated gradus has no ${what}`))

const simulated = Layer.succeed(Engines, {
  // asked for before a cell is tried, and never started
  python: process.execPath,
  lease: embeddedLease,
  store: (place, lease) => store(place, lease, patience),
  scorer: absent("scorer"),
  ledger: absent("ledger"),
  trainer: absent("trainer service"),
  wire: absent("wire"),
  simulation,
  cells: (place) =>
    Effect.succeed({
      layer: (manifest) => Layer.orDie(simulation(manifest, process.cwd(), place, settings)),
      discard: Effect.void
    }),
  run: (manifest, place) => {
    const made = Layer.orDie(simulation(manifest, process.cwd(), place, settings))
    return slow === 0 ? made : Layer.merge(made, slowly.pipe(Layer.provide(made)))
  }
})

const main = Command.run(gradus, { version: "simulated" }).pipe(
  Effect.provide([simulated, platform]),
  Effect.tapCause((cause) => Effect.sync(() => process.stderr.write(`${messageOf(cause) ?? ""}\n`)))
)

NodeRuntime.runMain(main, {
  disableErrorReporting: true,
  teardown: (exit, onExit) =>
    onExit(Exit.isFailure(exit) ? exitCodeOf(exit.cause as Cause.Cause<unknown>, process.exitCode) : 0)
})
