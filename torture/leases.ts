/**
 * `node torture/leases.ts --count 500`: two orchestrators on one run. The one that has it is stopped by SIGSTOP in the middle of its writes, sleeps past its
 * lease, and goes on by SIGCONT after the other one took the run. On Redis nothing that it does then may reach the run; where the lease is a lock of this
 * machine the other one may not get in at all. Both are real processes, and so is the redis-server.
 */
import * as Seed from "@gradus/domain/Seed"
import { redisBinaries, type RedisServer, startRedis } from "@gradus/testing/RedisServer"
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { options } from "./options.ts"
import { bound, report, root } from "./result.ts"

interface Said {
  readonly said: "ready" | "owned" | "committed" | "wrote" | "stored" | "ended" | "left"
  readonly number?: number
  readonly step?: number
  readonly why?: string
}

const DEADLINE_MILLIS = 30_000

/** One of the two, as a process that is told what to do. */
class Contender {
  readonly child: ChildProcess
  heard: Array<Said> = []
  private listeners = new Set<() => void>()

  constructor(place: string) {
    this.child = spawn(process.execPath, [join(root, "torture/contender.ts"), place], {
      stdio: ["pipe", "pipe", "inherit"]
    })
    if (this.child.stdout === null) throw new Error("no output")
    createInterface({ input: this.child.stdout }).on("line", (line) => {
      this.heard.push(JSON.parse(line))
      for (const listener of this.listeners) listener()
    })
  }

  tell(line: string): void {
    this.child.stdin?.write(`${line}\n`)
  }

  /** Waits until something was said that holds, and gives it. */
  until(what: string, holds: (said: Said) => boolean): Promise<Said> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`never ${what}: ${JSON.stringify(this.heard.slice(-3))}`)),
        DEADLINE_MILLIS
      )
      const look = (): void => {
        const found = this.heard.find(holds)
        if (found === undefined) return
        clearTimeout(timer)
        this.listeners.delete(look)
        resolve(found)
      }
      this.listeners.add(look)
      look()
    })
  }

  stop(): void {
    this.child.kill("SIGSTOP")
  }

  goOn(): void {
    this.child.kill("SIGCONT")
  }

  kill(): void {
    this.child.kill("SIGKILL")
  }
}

const sleep = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis))

interface Trial {
  /** Lines of the journal by an owner after a later one's first line. */
  readonly stale: number
  /** Lines that their owner was told are committed, and that are not in the journal. */
  readonly lost: number
  /** The same of the answers of a profile, which are written beside the journal. */
  readonly staleAnswers: number
  readonly lostAnswers: number
  /** Whether the file says an older owner than the last one who wrote it. */
  readonly overwritten: boolean
  /** What the first one found when it woke up. */
  readonly woke: string
  readonly commits: number
  readonly stored: number
}

interface Line {
  readonly step: number
  readonly version: number
}

const linesOf = (directory: string): ReadonlyArray<Line> =>
  readFileSync(join(directory, "events.ndjson"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))

/** The stored answers, each under its owner's number; the last line may be torn. */
const answersOf = (directory: string): ReadonlyArray<Line> =>
  readFileSync(join(directory, "answers.jsonl"), "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line))
    .map(({ k, question_id }) => ({ step: k, version: Number(question_id) }))

/** Counts lines of an owner behind those of a later one. */
const staleOf = (lines: ReadonlyArray<Line>): number => {
  let highest = 0
  let stale = 0
  for (const { version } of lines) {
    if (version < highest) stale++
    highest = Math.max(highest, version)
  }
  return stale
}

/** Counts what was said to be written and is not there. */
const lostOf = (lines: ReadonlyArray<Line>, told: ReadonlyArray<Said>): number => {
  const written = new Set(lines.map(({ step, version }) => `${step} ${version}`))
  return told.filter(({ number, step }) => !written.has(`${step} ${number}`)).length
}

/** Compares the journal with what the two were told. */
const judge = (directory: string, two: ReadonlyArray<Contender>, woke: string): Trial => {
  const lines = linesOf(directory)
  const answers = answersOf(directory)
  const told = (what: Said["said"]) => two.flatMap(({ heard }) => heard.filter(({ said }) => said === what))
  const wrote = two.flatMap(({ heard }) => heard.flatMap(({ number, said }) => (said === "wrote" ? [number ?? 0] : [])))
  const latest = Number(readFileSync(join(directory, "latest"), "utf8"))
  return {
    stale: staleOf(lines),
    lost: lostOf(lines, told("committed")),
    staleAnswers: staleOf(answers),
    lostAnswers: lostOf(answers, told("stored")),
    overwritten: latest < Math.max(...wrote),
    woke,
    commits: told("committed").length,
    stored: told("stored").length
  }
}

const isCommit = (from: number) => {
  let seen = 0
  return ({ said }: Said): boolean => said === "committed" && ++seen > from
}
const commits = async (one: Contender, count: number): Promise<void> => {
  await one.until(`${count} commits`, () => one.heard.filter(isCommit(0)).length >= count)
}

/** The first owns and commits, and is stopped at any moment; the second asks for the same run. */
const contested = async (two: readonly [Contender, Contender], directory: string, stream: Seed.Stream) => {
  const [first, second] = two
  first.tell(`own ${directory}`)
  await commits(first, 1 + stream.below(8))
  await sleep(5 * stream.next())
  first.stop()
  second.tell(`own ${directory}`)
  return two
}

/** A trial on Redis: stopped at any moment, taken over, woken at any moment after. */
const onRedis = async (
  two: readonly [Contender, Contender],
  directory: string,
  stream: Seed.Stream
): Promise<Trial> => {
  const [first, second] = await contested(two, directory, stream)
  // refused while the lease lasts: asked again, as a worker is by its queue
  const since = performance.now()
  for (;;) {
    const answer = await second.until("an answer", ({ said }) => said === "owned" || said === "ended")
    if (answer.said === "owned") break
    if (answer.why !== "RunOwned" || performance.now() - since > DEADLINE_MILLIS)
      throw new Error(`a run whose lease is over is not given to the next one: ${answer.why}`)
    second.heard = []
    await sleep(20)
    second.tell(`own ${directory}`)
  }
  const early = stream.next() < 0.5
  if (!early) await commits(second, 1 + stream.below(4))
  first.goOn()
  const { why } = await first.until("what it found", ({ said }) => said === "ended")
  await commits(second, 6)
  second.tell("leave")
  await second.until("gone", ({ said }) => said === "left")
  return judge(directory, two, why ?? "")
}

/** A trial with the lock of one machine: a stopped owner keeps its run; it goes on, or is killed and the other goes on. */
const onFiles = async (
  two: readonly [Contender, Contender],
  directory: string,
  stream: Seed.Stream
): Promise<Trial> => {
  const [first, second] = await contested(two, directory, stream)
  const { said, why } = await second.until("an answer", ({ said }) => said === "owned" || said === "ended")
  const before = first.heard.filter(isCommit(0)).length
  first.goOn()
  await commits(first, before + 2)
  first.tell("leave")
  await first.until("gone", ({ said }) => said === "left")
  second.heard = []
  second.tell(`own ${directory}`)
  await commits(second, 2)
  second.tell("leave")
  await second.until("gone", ({ said }) => said === "left")
  return judge(directory, two, said === "owned" ? "taken from a living owner" : (why ?? ""))
}

const trials = async (name: string, place: string, count: number, seed: Seed.Seed) => {
  const two = [new Contender(place), new Contender(place)] as const
  try {
    for (const one of two) await one.until("ready", ({ said }) => said === "ready")
    const results: Array<Trial> = []
    for (let i = 0; i < count; i++) {
      const directory = mkdtempSync(join(tmpdir(), "gradus-leases-"))
      for (const one of two) one.heard = []
      const stream = Seed.stream(Seed.child(seed, name, i))
      const order = i % 2 === 0 ? two : ([two[1], two[0]] as const)
      results.push(await (place === "local" ? onFiles : onRedis)(order, directory, stream))
      rmSync(directory, { recursive: true, force: true })
    }
    return results
  } finally {
    for (const one of two) one.kill()
  }
}

const sum = (results: ReadonlyArray<Trial>, of: (trial: Trial) => number): number =>
  results.reduce((total, trial) => total + of(trial), 0)

/** Runs the part: nine trials of ten on Redis, on each server that is here in turn, the tenth on files. */
export const leases = async (count: number, seedNumber: number) => {
  const seed = Seed.root(seedNumber)
  const started = performance.now()
  const files = Math.max(1, Math.floor(count / 10))
  const servers = redisBinaries()
  const results: Array<Trial> = []
  const counts: Record<string, number | string> = {}
  for (const [i, binary] of servers.entries()) {
    const share = Math.floor((count - files + i) / servers.length)
    const server: RedisServer = await startRedis({ binary })
    try {
      const here = await trials(`redis ${binary.version}`, server.url, share, seed)
      counts[`trials on Redis ${binary.version}`] = here.length
      results.push(...here)
    } finally {
      await server.stop()
    }
  }
  const woken = Map.groupBy(results, ({ woke }) => woke)
  for (const [why, those] of woken) counts[`woken to ${why}`] = those.length
  const local = await trials("files", "local", files, seed)
  counts["trials with the lock of one machine"] = local.length
  counts["taken from a living owner"] = local.filter(({ woke }) => woke !== "RunOwned").length
  results.push(...local)
  counts["commits that were acknowledged"] = sum(results, ({ commits }) => commits)
  counts["answers that were acknowledged"] = sum(results, ({ stored }) => stored)
  const stale = sum(results, ({ stale }) => stale)
  const lost = sum(results, ({ lost }) => lost)
  const staleAnswers = sum(results, ({ staleAnswers }) => staleAnswers)
  const lostAnswers = sum(results, ({ lostAnswers }) => lostAnswers)
  const overwritten = sum(results, ({ overwritten }) => Number(overwritten))
  return {
    seconds: (performance.now() - started) / 1000,
    held: [stale, lost, staleAnswers, lostAnswers, overwritten, counts["taken from a living owner"]].every(
      (wrong) => wrong === 0
    ),
    counts: {
      trials: results.length,
      ...counts,
      "stale commits": stale,
      "acknowledged commits that are lost": lost,
      "stale answers": staleAnswers,
      "acknowledged answers that are lost": lostAnswers,
      "files of a later owner overwritten": overwritten,
      "bound on the rate of stale commits (95 %)": bound(results.length)
    }
  }
}

if (import.meta.main) {
  const asked = options({ count: 500 })
  report({ part: "leases", options: asked, ...(await leases(asked.count, asked.seed)) })
}
