/**
 * Kills of `gradus worker` itself, at named moments and at any time: the run is put before the workers once, each attempt at it is another worker, and what the last one
 * leaves must equal what a worker leaves that nobody killed. The store is a file, or a redis-server of the part's own.
 */
import * as Seed from "@gradus/domain/Seed"
import { startRedis } from "@gradus/testing/RedisServer"
import { join } from "node:path"
import { type Chain, chain, type Target, whole } from "./chain.ts"
import { root } from "./result.ts"
import { Schedule } from "./schedule.ts"
import { run } from "./victim.ts"

const GRADUS = [process.execPath, join(root, "torture/simulatedGradus.ts")]
const MANIFEST = join(root, "torture/simulated.yaml")
/** Seconds: a dead worker's run is free, and its job handed out again half of that later; a worker that finds nothing waits for longer. */
const [LEASE, IDLE] = [1, 5]

/** Whether a command of `gradus` that nobody kills ended well; what it printed. */
const told = async (args: ReadonlyArray<string>): Promise<any> => {
  const ended = await run([...GRADUS, ...args, "--json"], {})
  if (ended.code !== 0) throw new Error(`gradus ${args[0]} ${args[1]} failed: ${ended.stderr}`)
  return JSON.parse(ended.stdout.trim().split("\n").at(-1) ?? "")
}

interface Place {
  readonly runs: string
  readonly at: ReadonlyArray<string>
}

const placeOf = (runs: string, url: string | undefined): Place => ({
  runs,
  at: ["--runs", runs, ...(url === undefined ? [] : ["--redis", url])]
})

/** Adds the run and gives the command of a worker, with what the board says of it at the end. */
const offered = async ({ at }: Place) => {
  const { dir } = await told(["queue", "add", MANIFEST, ...at])
  const command = [
    ...GRADUS,
    "worker",
    ...at,
    "--no-report",
    "--lease",
    String(LEASE),
    "--leave-when-idle",
    String(IDLE)
  ]
  const summary = async () => {
    const { jobs } = await told(["queue", "list", ...at])
    // the board's word is part of what must be equal
    return { dir, digest: jobs.map(({ note, state }: { note?: string; state: string }) => [state, note]) }
  }
  return { command: () => command, summary }
}

/** Kills the workers of one run so often, and lets the last one end it. */
const killed = async (place: string, url: string | undefined, target: Target, most: number, seed: Seed.Seed) => {
  const stream = Seed.stream(seed)
  const { command, summary } = await offered(placeOf(join(place, "killed"), url))
  return chain({ ...target, command, summary }, place, new Schedule(stream), most, stream)
}

/** `count` kills on each of the two stores. */
export const workerKills = async (count: number, seed: Seed.Seed, place: string): Promise<ReadonlyArray<Chain>> => {
  const calm = placeOf(join(place, "workers-whole"), undefined)
  const { command, summary } = await offered(calm)
  const target = await whole(command, calm.runs, join(place, "workers.log"), {}, false, summary)
  const server = await startRedis()
  try {
    return await Promise.all(
      [undefined, server.url].map((url, i) =>
        killed(join(place, `workers-${i}`), url, target, count, Seed.child(seed, "worker", i))
      )
    )
  } finally {
    await server.stop()
  }
}
