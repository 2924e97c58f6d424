// Bench: a profile that is killed (-9) at random points and started again, against a loopback server that counts what it is asked.
// usage: node bench/profile-kills.mjs [QUESTIONS] [KILLS] [SEED]     one line of JSON; exits with 1 where a count does not hold
//
// The law, all counts of samples (completions). At a kill, `lost` = asked of the server since the last start - stored since then: what was in flight
// (requests that the server had read and whose answers were not yet on disk; a place sends its next request only when its last answer is written, so
// at most concurrency x samples). It must be asked again, and nothing else:
//   1. every call asks for what was not stored when it began: asked by the last call = questions x samples - stored at the last kill;
//   2. asked by all calls = questions x samples + the sum of lost, for every question;
//   3. what is stored is exactly questions x samples, each sample once, each a completion that the server served (by its serial number).
import { closeSync, existsSync, openSync, readFileSync, readSync } from "node:fs"
import { cpus } from "node:os"
import { join } from "node:path"
import { place } from "./profiled.mjs"

const SAMPLES = 8
const CONCURRENCY = 64
const [questions = 10_000, kills = 10, seed = 1] = process.argv.slice(2).map(Number)
const total = questions * SAMPLES

let state = seed * 2654435761
const random = () => {
  state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0
  return (state >>> 0) / 2 ** 32
}

const { close, counts, output, start } = await place(
  "kills",
  questions,
  ["100", "20"],
  ["--samples", String(SAMPLES), "--concurrency", String(CONCURRENCY)]
)
const stored = join(output, "answers.jsonl")

/** Counts once nothing is being answered: after a kill the server first notices that its client is gone. */
const settled = async () => {
  for (;;) {
    const now = await counts()
    if (now.inFlight === 0) return now
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Whole lines of the store; a torn last one is none. Read in pieces, since the file may be long. */
const storedLines = () => {
  if (!existsSync(stored)) return 0
  const file = openSync(stored, "r")
  const buffer = Buffer.alloc(1 << 20)
  let found = 0
  for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) {
    for (let i = 0; i < read; i++) if (buffer[i] === 10) found++
  }
  closeSync(file)
  return found
}

const wrong = []
const holds = (what, is, should) => {
  if (is !== should) wrong.push(`${what}: ${is}, and it should be ${should}`)
}

// the points at which it is killed, in samples asked since the beginning
const points = Array.from({ length: kills }, () => Math.ceil((0.02 + 0.93 * random()) * total)).toSorted(
  (a, b) => a - b
)
const begun = performance.now()
const lost = []
let before = { asked: 0, stored: 0 }
for (const point of points) {
  const run = start()
  const gone = () => run.child.exitCode !== null || run.child.signalCode !== null
  while ((await counts()).asked < point && !gone()) await new Promise((resolve) => setTimeout(resolve, 2))
  if (gone()) throw new Error(`it ended before it was killed:\n${run.said.err}`)
  run.child.kill("SIGKILL")
  await run.ended
  const { asked } = await settled()
  const now = storedLines()
  lost.push({ at: asked, lost: asked - before.asked - (now - before.stored) })
  before = { asked, stored: now }
}
const last = start()
const [code] = await last.ended
if (code !== 0) throw new Error(`exit ${code}:\n${last.said.err}`)
const result = last.result()
const end = await settled()
const sumLost = lost.reduce((sum, one) => sum + one.lost, 0)

holds("asked by the last call", end.asked - before.asked, total - before.stored)
holds("what the last call says that it asked", result.asked, total - before.stored)
holds("what the last call says that it found", result.reused, before.stored)
holds("asked by all calls", end.asked, total + sumLost)
const seen = new Map()
const serials = new Set()
for (const line of readFileSync(stored, "utf8").trimEnd().split("\n")) {
  const { k, question_id, text } = JSON.parse(line)
  const serial = Number(/^#(\d+) /.exec(text)?.[1])
  if (!Number.isInteger(serial) || serial >= end.mostOfOne)
    wrong.push(`${question_id}/${k}: no serial number of the server`)
  serials.add(`${question_id}#${serial}`)
  seen.set(`${question_id}/${k}`, (seen.get(`${question_id}/${k}`) ?? 0) + 1)
}
holds("stored samples", seen.size, total)
holds("samples that are stored twice", [...seen.values()].filter((count) => count > 1).length, 0)
holds("distinct completions of the server that are stored", serials.size, total)
for (const { lost: one } of lost)
  if (one < 0 || one > CONCURRENCY * SAMPLES)
    wrong.push(`lost at a kill: ${one}, and at most ${CONCURRENCY * SAMPLES} were in flight`)
const again = start()
await again.ended
const idle = again.result()
holds("asked by a call when all is stored", idle.asked, 0)
holds("asked of the server by it", (await settled()).asked, end.asked)

console.log(
  JSON.stringify({
    bench: "profile killed and resumed",
    hardware: `${cpus().length} x ${cpus()[0]?.model}`,
    questions,
    samples: SAMPLES,
    kills,
    seed,
    server_asked: end.asked,
    server_requests: end.requests,
    lost_in_flight: sumLost,
    server_asked_less_lost: end.asked - sumLost,
    stored: seen.size,
    by_kill: lost,
    last_call: { asked: result.asked, reused: result.reused },
    seconds: Number(((performance.now() - begun) / 1000).toFixed(1)),
    wrong
  })
)
close()
process.exit(wrong.length === 0 ? 0 : 1)
