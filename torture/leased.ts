/** Attempts at a run whose lease lies in a Redis: who comes right after a kill finds it held until it runs out, and begins again. */
import { type Death, type Ended, run } from "./victim.ts"

/** After so long a dead owner's run is another's. */
export const LEASE_SECONDS = 1.5
const PATIENCE_MILLIS = 30_000
/** Most of a lease: each try is a start. */
const PAUSE_MILLIS = 700 * LEASE_SECONDS
/** Who comes too early, who lost its lease while the server was away, who begins while it is away: each is told that the same command goes on. */
const AGAIN = [
  "another process is working on",
  "another process goes on with the run",
  "then run the same command again"
]

/** Runs a command as often as it says that the run is somebody else's. */
export const runOwned = async (
  command: ReadonlyArray<string>,
  death: Death,
  environment: Readonly<Record<string, string>> = {}
): Promise<Ended> => {
  const started = performance.now()
  for (;;) {
    const ended = await run(command, death, environment)
    // a program of the torture says its errors on standard output, `gradus` on standard error
    const said = ended.stdout + ended.stderr
    const owned = ended.signal === null && ended.code !== 0 && AGAIN.some((words) => said.includes(words))
    if (!owned || performance.now() - started > PATIENCE_MILLIS) return ended
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLIS))
  }
}
