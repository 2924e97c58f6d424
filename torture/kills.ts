/**
 * `node torture/kills.ts --count 1000`: kill -9 at every named moment and at any time, with a simulated policy; the same command goes on, and what it
 * leaves must equal a run that nobody killed. Half of the runs have their lease in a Redis, whose server is killed all the while. Every kill is of a
 * real process; only the policy is simulated.
 */
import * as Seed from "@gradus/domain/Seed"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { bundled } from "./bundle.ts"
import { type Chain, chain, isNamed, tally, type Target, whole } from "./chain.ts"
import { options } from "./options.ts"
import { redisServer } from "./redisServer.ts"
import { bound, report, root } from "./result.ts"
import type { Survives } from "./simulated.ts"

/** A run is killed so often before it may finish: a finished run costs as much as three kills. */
const MOST = 6
/** More than there are cores: who comes after a kill on Redis waits for the lease to run out. */
const JOBS = 4

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
  const targets: Array<Target> = []
  for (const [survives, report, overrides, environment] of kinds) {
    const name = join(place, `whole-${targets.length}`)
    targets.push(await whole(command(program, survives, report, overrides), name, `${name}.log`, environment))
  }
  return targets
}

/** A database of its own for whoever works at the same time: one database holds one set of runs, and these all have one name. */
const inLane = (target: Target, lane: number): Target => {
  const url = target.environment?.["GRADUS_REDIS"]
  return url === undefined ? target : { ...target, environment: { GRADUS_REDIS: `${url}/${lane + 1}` } }
}

const isOnRedis = ({ environment }: Target): boolean => environment?.["GRADUS_REDIS"] !== undefined

/** Kills `count` times; each chain is seeded by its place. A chain that ends wrong leaves its directory. */
export const kills = async (count: number, seed: number) => {
  const place = mkdtempSync(join(tmpdir(), "gradus-kills-"))
  const started = performance.now()
  await using server = await redisServer()
  using program = await bundled("simulatedRun.ts")
  const targets = await wholes(program.file, place, server.url)
  const kinds = [...new Set(targets.flatMap(({ moments }) => moments))]
  const left = new Set(Seed.stream(Seed.child(Seed.root(seed), "order")).shuffle([...kinds]))
  /** A moment of a target at which no chain has begun yet, as long as there is one; so every moment has its turn. */
  const firstOf = ({ moments }: Target, stream: Seed.Stream): string => {
    const known = new Set(moments)
    const first = [...left].find((kind) => known.has(kind)) ?? moments[stream.below(moments.length)] ?? ""
    left.delete(first)
    return first
  }
  const chains: Array<Chain> = []
  let [done, next, onRedis] = [0, 0, 0]
  const work = async (lane: number): Promise<void> => {
    // kills at any time come on top of those at a named moment
    while (done < count) {
      const number = next++
      const runs = join(place, `runs-${number}`)
      const stream = Seed.stream(Seed.child(Seed.root(seed), "chain", number))
      const target = targets[number % targets.length]
      if (target === undefined) throw new Error("no run to compare with")
      const most = Math.max(1, Math.min(MOST, count - done))
      const made = await chain(inLane(target, lane), runs, firstOf(target, stream), most, stream)
      done += made.deaths.filter(isNamed).length
      if (isOnRedis(target)) onRedis += made.deaths.length
      chains.push(made)
      if (made.broken === undefined) rmSync(runs, { recursive: true, force: true })
      if (number % 20 === 19) process.stderr.write(`${done} kills\n`)
    }
  }
  const lanes = Promise.all(Array.from({ length: JOBS }, (_, lane) => work(lane)))
  const [, serverKills] = await server.troubled(Seed.stream(Seed.child(Seed.root(seed), "redis")), lanes)
  const { counts, wrong } = tally(chains, kinds)
  if (wrong.length === 0) rmSync(place, { recursive: true, force: true })
  const seconds = (performance.now() - started) / 1000
  return {
    seconds,
    held: wrong.length === 0 && counts["kills at named moments"] >= count,
    counts: {
      ...counts,
      "kills of runs on Redis": onRedis,
      "kills of redis-server while they ran": serverKills,
      "bound on a kill's failure": bound(counts.kills),
      "kills a minute": Math.round((60 * counts.kills) / seconds)
    },
    details: wrong.slice(0, 20)
  }
}

if (import.meta.main) {
  const asked = options({ count: 1000 })
  report({ part: "kills", options: asked, ...(await kills(asked.count, asked.seed)) })
}
