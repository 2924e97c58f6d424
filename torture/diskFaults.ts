/**
 * `node torture/diskFaults.ts`: a run whose disk fails at one write, and stays bad: full before a byte, full half-way, an error at the flush, a rename that
 * fails. It must end with an error that names a file, and the same command on a good disk must end as a run that met no fault.
 */
import * as Seed from "@gradus/domain/Seed"
import { finished, run } from "@gradus/experiment/Run"
import { load } from "@gradus/manifest/service/Load"
import { layer as lease } from "@gradus/store/EmbeddedRunLease"
import * as DiskFault from "@gradus/testing/DiskFault"
import * as DiskMoments from "@gradus/testing/DiskMoments"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Cause from "effect/Cause"
import * as Layer from "effect/Layer"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { compare, historyOf } from "./history.ts"
import { options } from "./options.ts"
import { report, root } from "./result.ts"
import { engines, inputOf } from "./simulated.ts"

/** Runs or goes on, on a disk that an observer watches. The trainer has a disk of its own, which is good. */
const attempt = (runs: string, observe: DiskMoments.Observer) =>
  Effect.gen(function* () {
    const loaded = yield* load(join(root, "torture/simulated.yaml"), [])
    const place = {
      root: `${runs}/torture--${loaded.digest.slice(0, 12)}`,
      base: loaded.directory,
      survives: "ledger" as const
    }
    const input = inputOf(loaded, place.root)
    const trainer = engines(loaded.manifest, place).pipe(Layer.provide(NodeServices.layer))
    return (yield* finished(input)) ?? (yield* run(input, trainer))
  }).pipe(
    Effect.provide([NodeServices.layer, DiskMoments.layer(observe).pipe(Layer.provide(NodeServices.layer)), lease])
  )

/** What a failed attempt says: the message of its error, or that it did not fail as it should. */
const said = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return "it did not notice"
  if (Cause.hasDies(exit.cause)) return `a bug: ${Cause.pretty(exit.cause)}`
  const error = Cause.squash(exit.cause)
  return error instanceof Error ? error.message : String(error)
}

/** Fails the disk at each of the run's kinds of moment, or at `count` of them that the seed chooses; each at one of its times. */
export const diskFaults = async (count: number, seed: number) => {
  const started = performance.now()
  const place = mkdtempSync(join(tmpdir(), "gradus-disk-"))
  const moments: Array<string> = []
  const note: DiskMoments.Observer = (moment) => Effect.sync(() => void moments.push(DiskMoments.nameOf(moment)))
  const clean = await Effect.runPromise(attempt(join(place, "clean"), note))
  const whole = historyOf(clean.dir)
  const stream = Seed.stream(Seed.root(seed))
  // a rename that failed has not moved anything: the fault comes before it
  const places = Map.groupBy(
    moments.keys().filter((index) => moments[index]?.endsWith(":moved") === false),
    (index) => moments[index] ?? ""
  )
  const kinds = stream.shuffle([...places]).slice(0, count)
  const wrong: Array<{ readonly moment: string; readonly reason: string }> = []
  for (const [number, [moment, times]] of kinds.entries()) {
    const runs = join(place, String(number))
    const at = times[stream.below(times.length)] ?? 0
    const disk = DiskFault.observer(at + 1)
    const words = said(await Effect.runPromiseExit(attempt(runs, disk)))
    const file = disk.failed()?.file ?? "no fault came"
    if (!words.includes(file) || !/ENOSPC|EIO/.test(words))
      wrong.push({ moment, reason: `${words} (the fault was at ${file})` })
    const again = await Effect.runPromise(attempt(runs, () => Effect.void))
    const { double, lost, other } = compare(whole, historyOf(again.dir))
    if (lost.length + double.length + other.length > 0 || JSON.stringify(again.digest) !== JSON.stringify(clean.digest))
      wrong.push({ moment, reason: JSON.stringify({ lost, double, other }) })
    rmSync(runs, { recursive: true, force: true })
  }
  rmSync(place, { recursive: true, force: true })
  return {
    seconds: (performance.now() - started) / 1000,
    held: wrong.length === 0,
    counts: {
      "writes of the run": moments.length,
      "kinds of moment": places.size,
      "faults tried": kinds.length,
      "not as they should be": wrong.length
    },
    details: wrong
  }
}

if (import.meta.main) {
  const asked = options({ count: 1000 })
  report({ part: "disk-faults", options: asked, ...(await diskFaults(asked.count, asked.seed)) })
}
