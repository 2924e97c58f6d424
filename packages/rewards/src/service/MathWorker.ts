/** The thread that reads answers: takes them from completions and compares them with truths. It is ended and replaced at its limits. */
import { parentPort, workerData } from "node:worker_threads"
import { compareAnswers } from "../accuracy/Compared.ts"
import { takeAnswers } from "../Answer.ts"
import type { MathJob, MathReply } from "./MathJob.ts"

/** One number shared with the main thread: when the job in hand began (ms since the epoch), 0 between jobs. */
const begun = new Float64Array(workerData as SharedArrayBuffer)

parentPort?.on("message", (jobs: ReadonlyArray<MathJob>) => {
  for (const [index, { rule, completion, gold }] of jobs.entries()) {
    begun[0] = performance.timeOrigin + performance.now()
    const answers = takeAnswers(rule, completion)
    const accuracy = compareAnswers("math", answers, gold)
    begun[0] = 0
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    parentPort?.postMessage({ index, answer: answers.at(-1) ?? null, accuracy } satisfies MathReply)
  }
})
