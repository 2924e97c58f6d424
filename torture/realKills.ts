/**
 * `node torture/realKills.ts --count 200`: kill -9 of `gradus run` or of its real trainer, at named moments of both and at any time; the same command goes
 * on, and metrics, completions and weights must have the digests of a run that nobody killed.
 */
import * as Seed from "@gradus/domain/Seed"
import { cpSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Chain, chain, isNamed, tally, type Target, whole } from "./chain.ts"
import { options } from "./options.ts"
import { LEASE_SECONDS } from "./leased.ts"
import { redisServer } from "./redisServer.ts"
import { bound, report, root } from "./result.ts"
import { Schedule } from "./schedule.ts"

const MOST = 10

/** Transitions of the trainer's engine (`gradus_trainer/kill_point.py`) with how often they come in this run, roughly. */
const TRAINERS = ["log", "apply", "applied", "saved", "durable"].map((name) => `trainer.${name}`)

const overrides = ["train.steps=4", "train.updates_per_step=2", "questions.train=24", "profile.samples=2"]

const command = (more: ReadonlyArray<string>) => (runs: string) => [
  process.execPath,
  join(root, "apps/cli/bin/gradus.mjs"),
  "run",
  join(root, "test/e2e/tiny.yaml"),
  ...overrides.flatMap((one) => ["-s", one]),
  "--runs",
  runs,
  "--json",
  ...more
]

/** Puts the trainer's transitions among the moments, where they can come: before each journal line that says what they did. */
const withTrainers = (target: Target): Target => ({
  ...target,
  moments: target.moments.flatMap((moment) => {
    if (moment === "update_applied:before") return [...TRAINERS.slice(0, 3), moment]
    return moment === "checkpoint_written:before" ? [...TRAINERS.slice(3), moment] : [moment]
  })
})

/** A transition of the trainer or a line of the journal: those decide what is applied twice, and have their turn first. */
const isFirst = (kind: string): boolean => kind.startsWith("trainer.") || (kind.includes("_") && !kind.includes("."))

interface RealKillsOptions {
  readonly counted?: (death: string) => boolean
  readonly flags?: ReadonlyArray<string>
}

/**
 * Kills `count` times, half of them of runs whose lease is in Redis; one run at a time on each store. Kills at any time come on top, unless `counted` says otherwise.
 * Each command is given the flags besides.
 */
export const realKills = async (
  count: number,
  seed: number,
  { counted = isNamed, flags = [] }: RealKillsOptions = {}
) => {
  const place = mkdtempSync(join(tmpdir(), "gradus-real-kills-"))
  const started = performance.now()
  await using server = await redisServer()
  const onFiles = withTrainers(
    await whole(command(flags), join(place, "whole"), join(place, "whole.log"), { NODE_ENV: "test" }, true)
  )
  // the same run by the same bytes, but for whose word it is that it is ours
  const leased = command([...flags, "--redis", server.url, "--lease", String(LEASE_SECONDS)])
  const onRedis = { ...onFiles, command: leased, leaseMillis: 1000 * LEASE_SECONDS }
  const kinds = [...new Set(onFiles.moments)]
  const chains: Array<Chain> = []
  const killed = async (target: Target, store: string): Promise<ReadonlyArray<string>> => {
    const deaths: Array<string> = []
    const schedule = new Schedule(Seed.stream(Seed.child(Seed.root(seed), "order", store)), isFirst)
    for (let number = 0; deaths.filter(counted).length < count / 2; number++) {
      const runs = join(place, `${store}-${number}`)
      const stream = Seed.stream(Seed.child(Seed.root(seed), store, number))
      const most = Math.max(1, Math.min(MOST, Math.ceil(count / 2) - deaths.length))
      // a warm-up is as long as all the rest: three chains in four find it made, as any second run does
      if (number % 4 !== 0)
        for (const stage of ["warmup", "policy"])
          cpSync(join(place, "whole/.artifacts", stage), join(runs, ".artifacts", stage), { recursive: true })
      const made = await chain(target, runs, schedule, most, stream)
      deaths.push(...made.deaths)
      chains.push(made)
      process.stderr.write(`${deaths.length} kills on ${store}: ${made.deaths.join(", ")}\n`)
      if (made.broken === undefined) rmSync(runs, { recursive: true, force: true })
    }
    return deaths
  }
  const [files, redis] = await Promise.all([killed(onFiles, "files"), killed(onRedis, "redis")])
  const { counts, wrong } = tally(chains, kinds)
  if (wrong.length === 0) rmSync(place, { recursive: true, force: true })
  const deaths = [...files, ...redis]
  return {
    seconds: (performance.now() - started) / 1000,
    held: wrong.length === 0 && deaths.filter(counted).length >= count,
    counts: {
      ...counts,
      "kills of runs on Redis": redis.length,
      "kills of the trainer": deaths.filter((death) => death.startsWith("trainer")).length,
      "bound on a kill's failure": bound(counts.kills),
      "weights of the whole run": String((onFiles.digest as { readonly weights: string }).weights)
    },
    details: wrong.length === 0 ? deaths : wrong.slice(0, 20)
  }
}

if (import.meta.main) {
  const asked = options({ count: 200 })
  report({ part: "real-kills", options: asked, ...(await realKills(asked.count, asked.seed)) })
}
