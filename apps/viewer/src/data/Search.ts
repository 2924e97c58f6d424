/** Looks for a text in all runs: in their questions, and in what was answered. Runs come newest first, and a search ends when enough is found. */
import * as Schema from "effect/Schema"
import { parquetReadObjects } from "hyparquet"
import * as Files from "./Files.ts"
import { stepFile, stepsOf } from "./Run.ts"

/** So many hits of a kind are shown. */
export const MOST = 50

export interface QuestionHit {
  readonly run: string
  readonly question: string
  readonly excerpt: string
}
export interface CompletionHit extends QuestionHit {
  readonly step: number
  readonly k: number
  readonly value: number | null
}
export interface Found {
  readonly questions: ReadonlyArray<QuestionHit>
  readonly completions: ReadonlyArray<CompletionHit>
  /** Runs that were looked through. */
  readonly runs: number
}

export const nothing: Found = { questions: [], completions: [], runs: 0 }

const Profiled = Schema.Struct({ question_id: Schema.String })
const Said = Schema.Struct({
  question_id: Schema.String,
  question: Schema.String,
  k: Schema.Int,
  text: Schema.String,
  value: Schema.NullOr(Schema.Finite)
})
const decodeProfiled = Schema.decodeUnknownPromise(Schema.Array(Profiled))
const decodeSaid = Schema.decodeUnknownPromise(Schema.Array(Said))

const AROUND = 40

/** Cuts a text to what stands around the first place of a wanted one, whatever its case; undefined where it is not there. */
export const excerptOf = (text: string, wanted: string): string | undefined => {
  const at = text.toLowerCase().indexOf(wanted)
  if (at < 0) return undefined
  const [from, to] = [Math.max(0, at - AROUND), at + wanted.length + AROUND]
  return `${from > 0 ? "…" : ""}${text.slice(from, to)}${to < text.length ? "…" : ""}`
}

const enough = ({ completions, questions }: Pick<Found, "completions" | "questions">): boolean =>
  completions.length >= MOST && questions.length >= MOST

const columns = async (run: string, files: ReadonlyMap<string, number>, path: string, names: ReadonlyArray<string>) =>
  parquetReadObjects({
    file: await Files.openTable(`runs/${run}/${path}`, files.get(path) ?? 0),
    columns: [...names]
  })

/** Adds what a run has; a question is found once, by its id or by its text. */
const inRun = async (run: string, wanted: string, before: Found, signal: AbortSignal): Promise<Found> => {
  const { files } = await Files.runFiles(run)
  const questions = new Map<string, QuestionHit>()
  const note = (question: string, excerpt: string | undefined): void => {
    if (excerpt !== undefined && !questions.has(question)) questions.set(question, { run, question, excerpt })
  }
  const completions: Array<CompletionHit> = []
  if (files.has("profile.parquet"))
    for (const row of await decodeProfiled(await columns(run, files, "profile.parquet", ["question_id"])))
      note(row.question_id, excerptOf(row.question_id, wanted))
  for (const step of stepsOf(files)) {
    const now = {
      completions: [...before.completions, ...completions],
      questions: [...before.questions, ...questions.values()]
    }
    if (signal.aborted || enough(now)) break
    const rows = await columns(run, files, stepFile(step, "rollouts.parquet"), Object.keys(Said.fields))
    for (const row of await decodeSaid(rows)) {
      note(row.question_id, excerptOf(row.question_id, wanted) ?? excerptOf(row.question, wanted))
      const excerpt = excerptOf(row.text, wanted)
      const { k, question_id: question, value } = row
      if (excerpt !== undefined) completions.push({ run, question, step, k, value, excerpt })
    }
  }
  return {
    questions: [...before.questions, ...questions.values()].slice(0, MOST),
    completions: [...before.completions, ...completions].slice(0, MOST),
    runs: before.runs + 1
  }
}

/** Searches the runs one after the other and says after each what is found so far. A run that cannot be read has nothing. */
export const search = async (
  runs: ReadonlyArray<string>,
  text: string,
  onFound: (found: Found) => void,
  signal: AbortSignal
): Promise<void> => {
  const wanted = text.trim().toLowerCase()
  let found = nothing
  for (const run of runs) {
    if (signal.aborted || enough(found)) return
    const before = found
    found = await inRun(run, wanted, before, signal).catch(() => ({ ...before, runs: before.runs + 1 }))
    if (!signal.aborted) onFound(found)
  }
}
