/** Kills one run again and again until it is allowed to finish, and compares what it leaves with a run that nobody killed. */
import type * as Seed from "@gradus/domain/Seed"
import { readFileSync } from "node:fs"
import { compare, type Difference, type History, historyOf } from "./history.ts"
import { runOwned } from "./leased.ts"
import type { Schedule } from "./schedule.ts"
import { type Death, type Ended, run } from "./victim.ts"

export interface Target {
  /** The command that starts a run in a directory of runs, and that is given again after each kill. */
  readonly command: (runs: string) => ReadonlyArray<string>
  readonly environment?: Readonly<Record<string, string>>
  /** Moments of an uninterrupted attempt, in order, as the kill point logs them. */
  readonly moments: ReadonlyArray<string>
  /** Whether the run has a trainer of its own, a process that can be killed. */
  readonly trainer: boolean
  /** How long an uninterrupted attempt takes, milliseconds. */
  readonly milliseconds: number
  readonly whole: History
  readonly digest: unknown
  /** How long a killed owner's lease lasts, where it is not gone with its owner. */
  readonly leaseMillis?: number
  /** What came of a run whose command does not print it. */
  readonly summary?: Summary
}

/** Where a run lies, and the digests by which two are compared. */
export type Summary = () => Promise<{ readonly dir: string; readonly digest: unknown }>

export interface Chain {
  /** Moments at which the run died, in order; `… at random` for a kill at any time. */
  readonly deaths: ReadonlyArray<string>
  readonly difference: Difference
  /** Whether the last attempt printed the digests of the whole run. */
  readonly sameDigest: boolean
  /** What went wrong when the run could not be finished. */
  readonly broken: string | undefined
}

/** One kill in five comes at any time rather than at a moment. */
const AT_RANDOM = 0.2

/** What a run says that lost its trainer: try again. */
const TRY_AGAIN = 75

interface Next {
  readonly death: Death
  /** Place in the target's moments; what comes next lies ahead of it. */
  readonly place: number
  /** The kind of moment whose turn it is. */
  readonly turn?: string
}

const isTrainers = (moment: string): boolean => moment.startsWith("trainer.")

/** A kill at any time: as long after the start as the rest of the run takes, at most; a process that begins again takes a while to get there. */
const atAnyTime = (target: Target, from: number, stream: Seed.Stream): Next => {
  const who = target.trainer && stream.next() < 0.5 ? "trainer" : "orchestrator"
  const share = Math.max(0.4, 1 - from / target.moments.length)
  return { death: { after: 1 + stream.below(Math.ceil(share * target.milliseconds)), who }, place: from }
}

/** Chooses the next death, of a moment that is due. Its count is from the restart. No kill when none is due. */
const nextDeath = (target: Target, from: number, schedule: Schedule, left: number, stream: Seed.Stream): Next => {
  if (from > 0 && stream.next() < AT_RANDOM) return atAnyTime(target, from, stream)
  const turn = schedule.choose(target.moments, from, left)
  if (turn === undefined) return { death: {}, place: from }
  return { death: { at: `${turn.kind}#${turn.time + 1}` }, place: turn.place, turn: turn.kind }
}

/** Whether an attempt ended as it was to: by our kill, or by the loss of the trainer that was killed, also while that one was starting. */
const died = ({ code, signal, stderr }: Ended, { at, who }: Death): boolean => {
  if (signal === "SIGKILL") return true
  const lost = code === TRY_AGAIN || (code === 1 && stderr.includes("the trainer did not start"))
  return lost && (who === "trainer" || isTrainers(at ?? ""))
}

const AT_ANY_TIME = " at random"
const nameOf = ({ at, who }: Death): string => at ?? `${who ?? "orchestrator"}${AT_ANY_TIME}`

const nothing: Difference = { lost: [], double: [], other: [] }

/** The last line of a run that finished, as JSON. */
export const summaryOf = (ended: Ended): any => JSON.parse(ended.stdout.trim().split("\n").at(-1) ?? "")

/** After a kill three in four wait until the lease is over: who comes earlier is refused, at the price of a start. */
const PATIENT = 0.75

const lie = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

/** Kills a run up to `most` times, at the moments that the schedule has due. */
export const chain = async (
  target: Target,
  runs: string,
  schedule: Schedule,
  most: number,
  stream: Seed.Stream
): Promise<Chain> => {
  const deaths: Array<string> = []
  let place = 0
  for (;;) {
    const left = most - deaths.length
    const next: Next = left <= 0 ? { death: {}, place } : nextDeath(target, place, schedule, left, stream)
    if (target.leaseMillis !== undefined && deaths.length > 0 && stream.next() < PATIENT) await lie(target.leaseMillis)
    const ended = await runOwned(target.command(runs), next.death, target.environment)
    if (ended.code === 0) {
      if (next.turn !== undefined) schedule.miss(next.turn)
      const summary = (await target.summary?.()) ?? summaryOf(ended)
      return {
        deaths,
        difference: compare(target.whole, historyOf(summary.dir)),
        sameDigest: JSON.stringify(summary.digest) === JSON.stringify(target.digest),
        broken: undefined
      }
    }
    // anything but our own kill is a failure of the run
    if (!died(ended, next.death))
      return {
        deaths,
        difference: nothing,
        sameDigest: false,
        broken: `exit ${ended.code}: ${ended.stdout.slice(-1000)} ${ended.stderr.slice(-1000)}`
      }
    deaths.push(nameOf(next.death))
    place = next.place
  }
}

/** Runs a target once without a kill, and logs its moments. */
export const whole = async (
  command: Target["command"],
  runs: string,
  log: string,
  environment: Readonly<Record<string, string>> = {},
  trainer = false,
  told?: Summary
): Promise<Target> => {
  const ended = await run(command(runs), {}, { ...environment, GRADUS_KILL_LOG: log })
  if (ended.code !== 0) throw new Error(`the run that nobody kills failed: ${ended.stderr}`)
  const summary = (await told?.()) ?? summaryOf(ended)
  return {
    command,
    environment,
    trainer,
    moments: readFileSync(log, "utf8").trimEnd().split("\n"),
    milliseconds: ended.milliseconds,
    whole: historyOf(summary.dir),
    digest: summary.digest
  }
}

/** Whether a death came at a named moment, and not at any time. */
export const isNamed = (death: string): boolean => !death.endsWith(AT_ANY_TIME)

/** The kind of moment of a death, without how often it had come. */
export const kindOf = (death: string): string => death.replace(/#.*/, "")

/** What the chains of a part say together. */
export const tally = (chains: ReadonlyArray<Chain>, kinds: ReadonlyArray<string>) => {
  const deaths = chains.flatMap((one) => one.deaths)
  const named = new Set(deaths.map(kindOf))
  const wrong = chains.filter(
    ({ broken, difference, sameDigest }) =>
      broken !== undefined ||
      !sameDigest ||
      difference.lost.length + difference.double.length + difference.other.length > 0
  )
  const sum = (part: keyof Difference) => chains.reduce((total, { difference }) => total + difference[part].length, 0)
  return {
    wrong,
    counts: {
      kills: deaths.length,
      "kills at named moments": deaths.filter(isNamed).length,
      "kills at random times": deaths.filter((death) => !isNamed(death)).length,
      runs: chains.length,
      "moments of the run": kinds.length,
      "moments killed at": kinds.filter((kind) => named.has(kind)).length,
      lost: sum("lost"),
      double: sum("double"),
      "other bytes": sum("other"),
      "other digests": chains.filter(({ sameDigest }) => !sameDigest).length,
      "could not go on": chains.filter(({ broken }) => broken !== undefined).length
    }
  }
}
