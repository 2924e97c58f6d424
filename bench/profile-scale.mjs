// Bench: 1,000,000 requests of one sample each through `gradus profile`: is its memory flat, and how soon is it ready when all of that is stored?
// usage: node bench/profile-scale.mjs [QUESTIONS]     8 requests a question; one line of JSON; exits with 1 where memory grows or it takes 5 s
import { readFileSync, statSync, truncateSync } from "node:fs"
import { cpus } from "node:os"
import { join } from "node:path"
import { place } from "./profiled.mjs"

const SAMPLES = 8
const [questions = 125_000] = process.argv.slice(2).map(Number)
const rules = ["--samples", String(SAMPLES), "--choices", "1", "--concurrency", "512"]
const { close, counts, output, start } = await place("scale", questions, ["100"], rules)
/** Resident memory in MiB; undefined once the process is gone. */
const resident = (pid) => {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024
  } catch {
    return undefined
  }
}

const readings = []
const begun = performance.now()
const first = start()
const watch = setInterval(async () => {
  const mib = resident(first.child.pid)
  const { requests } = await counts()
  if (mib !== undefined && requests > 0 && requests < questions * SAMPLES) readings.push([requests, Math.round(mib)])
}, 500)
const [code] = await first.ended
clearInterval(watch)
if (code !== 0) throw new Error(`exit ${code}`)
const seconds = (performance.now() - begun) / 1000
const made = first.result()

// all stored but the last answer, whose line is torn: the next call is ready when it asks for that one
await new Promise((resolve) => setTimeout(resolve, 1000))
const before = (await counts()).requests
truncateSync(join(output, "answers.jsonl"), statSync(join(output, "answers.jsonl")).size - 20)
const resumed = performance.now()
const second = start()
while ((await counts()).requests === before) await new Promise((resolve) => setTimeout(resolve, 2))
const ready = (performance.now() - resumed) / 1000
await second.ended
const again = second.result()

const middle = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
const between = (from, to) =>
  middle(
    readings.filter(([n]) => n >= from * questions * SAMPLES && n < to * questions * SAMPLES).map(([, mib]) => mib)
  )
const memory = { second_tenth: between(0.1, 0.2), middle: between(0.45, 0.55), last_tenth: between(0.9, 1) }
const growth = memory.last_tenth / memory.second_tenth
const holds = {
  every_request_once: made.requests === questions * SAMPLES && before === questions * SAMPLES,
  resumed_asked_for_one: again.asked === 1 && again.reused === questions * SAMPLES - 1,
  memory_is_flat: growth < 1.2,
  ready_in_5_s: ready < 5
}
console.log(
  JSON.stringify({
    bench: "profile at scale",
    hardware: `${cpus().length} x ${cpus()[0]?.model}`,
    requests: made.requests,
    concurrency: 512,
    seconds: Number(seconds.toFixed(1)),
    requests_per_second: Math.round(made.requests / seconds),
    resident_mib: { ...memory, peak: Math.max(...readings.map(([, mib]) => mib)) },
    growth: Number(growth.toFixed(3)),
    stored_answers: questions * SAMPLES,
    store_mib: Math.round(statSync(join(output, "answers.jsonl")).size / 2 ** 20),
    index_mib: Math.round(statSync(join(output, "answers.index")).size / 2 ** 20),
    ready_seconds: Number(ready.toFixed(2)),
    holds
  })
)
close()
process.exit(Object.values(holds).every(Boolean) ? 0 : 1)
