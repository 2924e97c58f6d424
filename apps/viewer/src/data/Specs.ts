/** Asks the worker for chart specs: all charts of one record, the comparison of several, those of a judge, or of a sweep with its statistics. */
import type { Comparison } from "@gradus/analytics/sweep/compareArms"
import type { SweepRecord } from "@gradus/analytics/sweep/SweepRecord"
import type { RunRecord } from "@gradus/domain/RunRecord"
import type { Judged } from "./Judged.ts"
import type { Agreement, Answer, Answered, Asked, Drawn, Question } from "./specs.worker.ts"

let worker: Worker | undefined
let next = 0

const started = (): Worker => (worker ??= new Worker(new URL("./specs.worker.ts", import.meta.url), { type: "module" }))

const ask = (question: Question): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const asked: Asked = { id: next++, question }
    const own = started()
    const done = (): void => {
      own.removeEventListener("message", heard)
      own.removeEventListener("error", failed)
    }
    const heard = ({ data }: MessageEvent<Answered>): void => {
      if (data.id !== asked.id) return
      done()
      if (data.answer === undefined) reject(new Error(data.failure ?? "no answer"))
      else resolve(data.answer)
    }
    const failed = (event: ErrorEvent): void => {
      done()
      reject(new Error(event.message))
    }
    own.addEventListener("message", heard)
    own.addEventListener("error", failed)
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin to name
    own.postMessage(asked)
  })

/** Computes the specs of one run, or of several together; charts without data are left out. */
export const specsOf = async (records: ReadonlyArray<RunRecord>): Promise<ReadonlyArray<Drawn>> =>
  (await ask({ kind: "runs", records })).drawn

export interface ComparedSweep {
  readonly drawn: ReadonlyArray<Drawn>
  readonly comparison: Comparison
}

/** Compares the arms of a sweep and computes the specs of its charts, which say so where nobody real answered. */
export const compareSweep = async (record: SweepRecord, simulated: boolean): Promise<ComparedSweep> => {
  const { comparison, drawn } = await ask({ kind: "sweep", record, simulated })
  if (comparison === undefined) throw new Error("the comparison is missing")
  return { drawn, comparison }
}

export interface ComparedJudge {
  readonly drawn: ReadonlyArray<Drawn>
  /** Over all steps; absent where no rule could grade what the judge said yes or no to. */
  readonly agreement?: Agreement
}

/** Compares what a judge said with what a rule says of the same completions, and computes the specs of its charts. */
export const compareJudge = async (record: RunRecord, all: ReadonlyArray<Judged>): Promise<ComparedJudge> => {
  const judged = all.map(({ rule, step, verdict }) => ({ rule, step, verdict }))
  const { agreement, drawn } = await ask({ kind: "judge", record, judged })
  return agreement === undefined ? { drawn } : { drawn, agreement }
}
