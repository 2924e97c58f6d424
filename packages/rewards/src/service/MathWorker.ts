/** The thread that reads answers: takes them from completions and compares them with truths. It is ended and replaced at its limits. */
import { parentPort, workerData } from "node:worker_threads"
import { doJob, type MathJob, type MathReply } from "./MathJob.ts"

/** One number shared with the main thread: when the job in hand began (ms since the epoch), 0 between jobs. */
const begun = new Float64Array(workerData as SharedArrayBuffer)

parentPort?.on("message", (jobs: ReadonlyArray<MathJob>) => {
  for (const [index, job] of jobs.entries()) {
    begun[0] = performance.timeOrigin + performance.now()
    const reply: MathReply = { index, ...doJob(job) }
    begun[0] = 0
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    parentPort?.postMessage(reply)
  }
})
