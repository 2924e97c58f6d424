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

interface Batch {
  readonly size: number
  readonly grades: Array<MathGrade>
  readonly finish: (end: BatchEnd) => void
  readonly fail: (cause: unknown) => void
}

/** A thread that is started once and gone after it passed a limit. */
export class MathThread {
  readonly #limits: MathLimits
  readonly #begun = new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT))
  readonly #worker: Worker
  #batch: Batch | undefined
  #watch: NodeJS.Timeout | undefined
  /** True once the thread has ended. */
  ended = false

  constructor(limits: MathLimits) {
    this.#limits = limits
    this.#worker = new Worker(WORKER, {
      workerData: this.#begun.buffer,
      resourceLimits: { maxOldGenerationSizeMb: limits.megabytes, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 },
      // What this process was started with (a loader, an inspector, its environment) is no concern of the thread.
      execArgv: [],
      env: {}
    })
    this.#worker.unref()
    this.#worker.on("message", (reply: MathReply) => this.#receive(reply))
    this.#worker.on("error", (cause) => this.#break(cause))
    this.#worker.on("exit", (code) =>
      this.#break(new Error(`a thread that grades mathematics ended with code ${code}`))
    )
  }

  #receive({ index, ...grade }: MathReply): void {
    const batch = this.#batch
    if (batch === undefined) return
    batch.grades[index] = grade
    if (batch.grades.length === batch.size) this.#close()?.finish({ grades: batch.grades })
  }

  #break(cause: unknown): void {
    this.ended = true
    const batch = this.#close()
    if (hasCode(cause, "ERR_WORKER_OUT_OF_MEMORY")) batch?.finish({ grades: batch.grades, limit: "memory" })
    else batch?.fail(cause)
  }

  /** Looks at the job in hand: past the time limit the thread is ended with it. */
  #look(): void {
    const begun = this.#begun[0] ?? 0
    if (begun === 0 || now() - begun <= this.#limits.milliseconds) return
    const batch = this.#close()
    void this.end()
    batch?.finish({ grades: batch.grades, limit: "time" })
  }

  #close(): Batch | undefined {
    const batch = this.#batch
    this.#batch = undefined
    clearInterval(this.#watch)
    return batch
  }

  /** Grades a batch. One at a time: the pool gives a thread no second batch before the first has ended. */
  grade(jobs: ReadonlyArray<MathJob>): Promise<BatchEnd> {
    return new Promise((finish, fail) => {
      this.#batch = { size: jobs.length, grades: [], finish, fail }
      this.#watch = setInterval(() => this.#look(), Math.max(1, this.#limits.milliseconds / 4))
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      this.#worker.postMessage(jobs)
    })
  }

  /** Ends the thread, whatever it does. */
  end(): Promise<number> {
    this.ended = true
    this.#close()
    return this.#worker.terminate()
  }
}

const hasCode = (cause: unknown, code: string): boolean =>
  typeof cause === "object" && cause !== null && "code" in cause && cause.code === code
