/**
 * Calls an address one time after the other, and prints a line of JSON: the milliseconds of each call by the clock (`wall`), and those that the
 * server's main thread worked meanwhile (`work`, from Linux's schedstat; empty elsewhere). The second is what a call waits for where the
 * machine has nothing else to do. Usage: node single.ts URL TOKEN BODY CALLS PID
 */
import { existsSync, readFileSync } from "node:fs"

const [url = "", token = "", body = "", calls = "0", pid = ""] = process.argv.slice(2)
const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" }

const schedstat = `/proc/${pid}/task/${pid}/schedstat`
const hasSchedstat = existsSync(schedstat)
/** Nanoseconds that the server's main thread has worked. */
const worked = (): number => (hasSchedstat ? Number(readFileSync(schedstat, "utf8").split(" ", 1)[0]) : NaN)

const wall: Array<number> = []
const work: Array<number> = []
for (let n = -20; n < Number(calls); n++) {
  const [started, before] = [performance.now(), worked()]
  const response = await fetch(url, { method: "POST", headers, body })
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${await response.text()}`)
  await response.text()
  // the first calls warm the caller up
  if (n < 0) continue
  wall.push(performance.now() - started)
  if (hasSchedstat) work.push((worked() - before) / 1e6)
}
process.stdout.write(`${JSON.stringify({ wall, work })}\n`)
