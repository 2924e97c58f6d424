/** One thread that grades batches of answers, with a time limit an answer and a memory limit for itself. */
import { Worker } from "node:worker_threads"
import type { MathGrade, MathJob, MathReply } from "./MathJob.ts"

export interface MathLimits {
  /** Milliseconds for one answer. */
  readonly milliseconds: number
  /** Megabytes of heap for one thread. */
  readonly megabytes: number
}

/** How a batch ended: with as many grades as jobs, or early, when the job after them passed a limit. */
export interface BatchEnd {
  readonly grades: ReadonlyArray<MathGrade>
  readonly limit?: "time" | "memory"
}

const WORKER = new URL("./MathWorker.ts", import.meta.url)

const now = (): number => performance.timeOrigin + performance.now()

const MEMORY = "ERR_WORKER_OUT_OF_MEMORY"

/** A thread that is started once and gone after it passed a limit. */
export class MathThread {
  readonly #limits: MathLimits
  readonly #begun = new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT)
  readonly #worker: Worker
  /** True once the thread has ended. */
  ended = false

  constructor(limits: MathLimits) {
    this.#limits = limits
    this.#worker = new Worker(WORKER, {
      workerData: this.#begun,
      resourceLimits: { maxOldGenerationSizeMb: limits.megabytes, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 },
      // What this process was started with (a loader, an inspector) is no concern of the thread.
      execArgv: [],
      env: {}
    })
    this.#worker.unref()
  }

  /** Milliseconds that the job in hand has taken; 0 between jobs. */
  #elapsed(): number {
    const begun = new Float64Array(this.#begun)[0] ?? 0
    return begun === 0 ? 0 : now() - begun
  }

  /** Grades a batch. One at a time: the pool gives a thread no second batch before the first has ended. */
  grade(jobs: ReadonlyArray<MathJob>): Promise<BatchEnd> {
    const grades: Array<MathGrade> = []
    return new Promise((resolve, reject) => {
      const watch = setInterval(
        () => {
          if (this.#elapsed() > this.#limits.milliseconds) finish({ grades, limit: "time" })
        },
        Math.max(1, this.#limits.milliseconds / 4)
      )
      const finish = (end: BatchEnd): void => {
        clearInterval(watch)
        this.#worker.removeAllListeners()
        if (end.limit !== undefined) void this.end()
        resolve(end)
      }
      const fail = (cause: unknown): void => {
        if (hasCode(cause, MEMORY)) return finish({ grades, limit: "memory" })
        clearInterval(watch)
        void this.end()
        reject(cause)
      }
      this.#worker.on("message", ({ index, ...grade }: MathReply) => {
        grades[index] = grade
        if (grades.length === jobs.length) finish({ grades })
      })
      this.#worker.on("error", fail)
      this.#worker.on("exit", (code) => fail(new Error(`a thread that grades mathematics ended with code ${code}`)))
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      this.#worker.postMessage(jobs)
    })
  }

  /** Ends the thread, whatever it does. */
  end(): Promise<number> {
    this.ended = true
    this.#worker.removeAllListeners()
    return this.#worker.terminate()
  }
}

const hasCode = (cause: unknown, code: string): boolean =>
  typeof cause === "object" && cause !== null && "code" in cause && cause.code === code
