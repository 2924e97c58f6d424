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

const MOST = 6

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

/** Kills `count` times, one run after the other, each given the flags besides. */
export const realKills = async (count: number, seed: number, flags: ReadonlyArray<string> = []) => {
  const place = mkdtempSync(join(tmpdir(), "gradus-real-kills-"))
  const started = performance.now()
  await using server = await redisServer()
  const target = withTrainers(
    await whole(command(flags), join(place, "whole"), join(place, "whole.log"), { NODE_ENV: "test" }, true)
  )
  // the same run by the same bytes, but for whose word it is that it is ours
  const onRedis = { ...target, command: command([...flags, "--redis", server.url, "--lease", String(LEASE_SECONDS)]) }
  const kinds = [...new Set(target.moments)]
  // chains begin in turn at a transition of the trainer and at one of the journal: those decide what is applied twice
  const seeded = Seed.stream(Seed.child(Seed.root(seed), "order"))
  const ofTrainer = seeded.shuffle([...TRAINERS])
  const ofJournal = seeded.shuffle(kinds.filter((kind) => !kind.startsWith("trainer.") && kind.includes("_")))
  const firstOf = (number: number): string => {
    const order = number % 2 === 0 ? ofTrainer : ofJournal
    return order[(number >> 1) % order.length] ?? ""
  }
  const chains: Array<Chain> = []
  let [done, killedOnRedis] = [0, 0]
  for (let number = 0; done < count; number++) {
    const runs = join(place, `runs-${number}`)
    const stream = Seed.stream(Seed.child(Seed.root(seed), "chain", number))
    const most = Math.max(1, Math.min(MOST, count - done))
    // a warm-up is as long as all the rest: three chains in four find it made, as any second run does
    if (number % 4 !== 0)
      for (const stage of ["warmup", "policy"])
        cpSync(join(place, "whole/.artifacts", stage), join(runs, ".artifacts", stage), { recursive: true })
    const onOne = number % 3 === 2
    const made = await chain(onOne ? onRedis : target, runs, firstOf(number), most, stream)
    done += made.deaths.filter(isNamed).length
    if (onOne) killedOnRedis += made.deaths.length
    chains.push(made)
    process.stderr.write(`${done} kills: ${made.deaths.join(", ")}\n`)
    if (made.broken === undefined) rmSync(runs, { recursive: true, force: true })
  }
  const { counts, wrong } = tally(chains, kinds)
  if (wrong.length === 0) rmSync(place, { recursive: true, force: true })
  const deaths = chains.flatMap((one) => one.deaths)
  return {
    seconds: (performance.now() - started) / 1000,
    held: wrong.length === 0 && counts["kills at named moments"] >= count,
    counts: {
      ...counts,
      "kills of runs on Redis": killedOnRedis,
      "kills of the trainer": deaths.filter((death) => death.startsWith("trainer")).length,
      "bound on a kill's failure": bound(counts.kills),
      "weights of the whole run": String((target.digest as { readonly weights: string }).weights)
    },
    details: wrong.length === 0 ? deaths : wrong.slice(0, 20)
  }
}

if (import.meta.main) {
  const asked = options({ count: 200 })
  report({ part: "real-kills", options: asked, ...(await realKills(asked.count, asked.seed)) })
}
