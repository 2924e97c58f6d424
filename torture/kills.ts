/**
 * `node torture/kills.ts --count 1000`: kill -9 at every named moment and at any time, with a simulated policy; the same command goes on, and what it
 * leaves must equal a run that nobody killed. Half of the runs have their lease in a Redis, whose server is killed all the while. Every kill is of a
 * real process; only the policy is simulated. One kill in a hundred more is of `gradus worker`.
 */
import * as Seed from "@gradus/domain/Seed"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { bundled } from "./bundle.ts"
import { type Chain, chain, isNamed, kindOf, tally, type Target, whole } from "./chain.ts"
import { LEASE_SECONDS } from "./leased.ts"
import { options } from "./options.ts"
import { redisServer } from "./redisServer.ts"
import { bound, report, root } from "./result.ts"
import { Schedule } from "./schedule.ts"
import type { Survives } from "./simulated.ts"
import { workerKills } from "./workerKills.ts"

/** A run is killed so often before it may finish: a finished run costs as much as three kills. */
const MOST = 25
/** Runs at once. More than there are cores on Redis: who comes after a kill waits there for the lease to run out. */
const LANES = { files: 2, redis: 5 } as const

const command =
  (program: string, survives: Survives, report: "report" | "none", overrides: ReadonlyArray<string>) =>
  (runs: string) => [
    process.execPath,
    program,
    join(root, "torture/simulated.yaml"),
    runs,
    survives,
    report,
    ...overrides
  ]

/**
 * Whole runs to compare with: a policy that keeps every update or falls back to its checkpoint, a lease of one machine or in Redis. One of the four draws
 * its report, which costs more than all the rest of a run; the others end as the cells of a sweep do. One has no warm-up, so that the trainer itself says
 * which weights it starts from.
 */
const wholes = async (program: string, place: string, url: string): Promise<ReadonlyArray<Target>> => {
  const redis = { GRADUS_REDIS: url }
  const kinds = [
    ["ledger", "none", ["warmup.steps=0"], {}],
    ["checkpoint", "none", [], redis],
    ["ledger", "none", [], redis],
    ["checkpoint", "report", [], {}]
  ] as const
  return Promise.all(
    kinds.map(async ([survives, report, overrides, environment], i) => {
      const name = join(place, `whole-${i}`)
      const own = environment === redis ? { GRADUS_REDIS: `${url}/${i}` } : environment
      const target = await whole(command(program, survives, report, overrides), name, `${name}.log`, own)
      return environment === redis ? { ...target, environment: redis, leaseMillis: 1000 * LEASE_SECONDS } : target
    })
  )
}

/** A database of its own for whoever works at the same time: one database holds one set of runs, and these all have one name. */
const inLane = (target: Target, lane: number): Target => {
  const url = target.environment?.["GRADUS_REDIS"]
  return url === undefined ? target : { ...target, environment: { GRADUS_REDIS: `${url}/${lane + 1}` } }
}

type Store = keyof typeof LANES
const STORES = ["files", "redis"] as const

const isOnRedis = ({ environment }: Target): boolean => environment?.["GRADUS_REDIS"] !== undefined

/**
 * Kills `count` times, half of them on each store; each chain is seeded by its place. Those at any time come on top, unless `counted` says otherwise. A chain that
 * ends wrong leaves its directory.
 */
export const kills = async (count: number, seed: number, counted: (death: string) => boolean = isNamed) => {
  const place = mkdtempSync(join(tmpdir(), "gradus-kills-"))
  const started = performance.now()
  await using server = await redisServer()
  using program = await bundled("simulatedRun.ts")
  const targets = await wholes(program.file, place, server.url)
  const kinds = [...new Set(targets.flatMap(({ moments }) => moments))]
  const chains: Array<Chain> = []
  const deaths: Record<Store, Array<string>> = { files: [], redis: [] }
  let next = 0
  const work = async (store: Store, lane: number, schedule: Schedule): Promise<void> => {
    const here = targets.filter((target) => isOnRedis(target) === (store === "redis"))
    for (let done = 0; done < count / 2; done = deaths[store].filter(counted).length) {
      const number = next++
      const runs = join(place, `runs-${number}`)
      const stream = Seed.stream(Seed.child(Seed.root(seed), "chain", number))
      const target = here[number % here.length]
      if (target === undefined) throw new Error("no run to compare with")
      const most = Math.max(1, Math.min(MOST, Math.ceil((count / 2 - done) / LANES[store])))
      const made = await chain(inLane(target, lane), runs, schedule, most, stream)
      deaths[store].push(...made.deaths)
      chains.push(made)
      if (made.broken === undefined) rmSync(runs, { recursive: true, force: true })
      process.stderr.write(`${deaths.files.length} kills on files, ${deaths.redis.length} on Redis\n`)
    }
  }
  const lanes = Promise.all(
    STORES.flatMap((store) => {
      // on each store every kind of moment has its turn
      const schedule = new Schedule(Seed.stream(Seed.child(Seed.root(seed), "order", store)))
      return Array.from({ length: LANES[store] }, (_, lane) => work(store, lane, schedule))
    })
  )
  const [, serverKills] = await server.troubled(Seed.stream(Seed.child(Seed.root(seed), "redis")), lanes)
  const each = Math.ceil(count / 200)
  const workers = await workerKills(each, Seed.child(Seed.root(seed), "workers"), place)
  const killedWorkers = workers.flatMap((one) => one.deaths)
  const { counts, wrong } = tally([...chains, ...workers], kinds)
  if (wrong.length === 0) rmSync(place, { recursive: true, force: true })
  const seconds = (performance.now() - started) / 1000
  const killed = new Set([...deaths.files, ...deaths.redis].map(kindOf))
  const never = kinds.filter((kind) => !killed.has(kind))
  return {
    seconds,
    held:
      wrong.length === 0 &&
      chains.flatMap((one) => one.deaths).filter(counted).length >= count &&
      workers.every(({ deaths }) => deaths.length >= 1),
    counts: {
      ...counts,
      "kills of runs on Redis": deaths.redis.length,
      "moments killed at on Redis": new Set(deaths.redis.filter(isNamed).map(kindOf)).size,
      "kills of redis-server while they ran": serverKills,
      "kills of workers": killedWorkers.length,
      "bound on a kill's failure": bound(counts.kills),
      "kills a minute": Math.round((60 * counts.kills) / seconds)
    },
    details: wrong.length === 0 ? { never } : wrong.slice(0, 20)
  }
}

if (import.meta.main) {
  const asked = options({ count: 1000 })
  report({ part: "kills", options: asked, ...(await kills(asked.count, asked.seed)) })
}
