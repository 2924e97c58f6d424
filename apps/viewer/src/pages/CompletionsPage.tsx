/** All completions of a run in one list: filters work on columns that are in memory, texts are read when a group is opened. */
import { count } from "@gradus/analytics/report/Format"
import { useEffect, useMemo, useRef, useState } from "preact/hooks"
import {
  type CompletionFilter,
  type CompletionRow,
  matching,
  readCompletions,
  type ReadSteps
} from "../data/Completions.ts"
import { type LoadedRun, stepsOf } from "../data/Run.ts"
import { fixed } from "../parts/Numbers.ts"
import { VirtualList } from "../parts/VirtualList.tsx"
import { link, restate } from "../Router.ts"

interface Read {
  readonly rows: ReadonlyArray<CompletionRow>
  readonly done: number
  readonly total: number
  readonly problem?: string
}

/** Newest step first. */
const joined = (parts: ReadSteps): ReadonlyArray<CompletionRow> =>
  [...parts].toSorted(([a], [b]) => b - a).flatMap(([, rows]) => rows)

/** Reads the steps of a run, and those that come while it goes on. */
const useCompletions = (run: string, files: LoadedRun["files"]): Read => {
  const [read, setRead] = useState<Read>({ rows: [], done: 0, total: 1 })
  const known = useRef<readonly [string, Map<number, ReadonlyArray<CompletionRow>>]>([run, new Map()])
  useEffect(() => {
    const over = new AbortController()
    if (known.current[0] !== run) known.current = [run, new Map()]
    const [, parts] = known.current
    const total = stepsOf(files).length
    let shown = 0
    const show = (): void => {
      // joining what has come is the costly part: not for every step
      const now = performance.now()
      if (parts.size < total && now - shown < 300) return
      shown = now
      setRead({ rows: joined(parts), done: parts.size, total })
    }
    show()
    const note = (step: number, rows: ReadonlyArray<CompletionRow>): void => {
      parts.set(step, rows)
      show()
    }
    readCompletions(run, files, parts, note, over.signal).catch((cause: unknown) =>
      setRead((now) => ({ ...now, problem: String(cause) }))
    )
    return () => over.abort()
  }, [run, files.size])
  return read
}

const Line = ({ row, run }: { row: CompletionRow; run: string }) => (
  <a class="completion" href={link(["run", run, "group", row.step, row.question_id], { k: row.k })}>
    <span class="number">{row.step}</span>
    <span class="name">{row.question_id}</span>
    <span class="number">{row.k}</span>
    <span class={`worth ${row.value === null ? "none" : row.value > 0 ? "right" : "wrong"}`}>
      {row.value === null ? "unscored" : fixed(row.value)}
    </span>
    <span class="number">{fixed(row.advantage)}</span>
    <span class="number">{row.length}</span>
    <span>{row.finish_reason === "length" ? "cut" : ""}</span>
    <span class="name">{row.answer ?? ""}</span>
  </a>
)

const choice = <A extends string>(value: string | null, all: ReadonlyArray<A>): A =>
  all.find((one) => one === value) ?? (all[0] as A)

const WORTH = ["any", "right", "wrong", "unscored"] as const
const FINISH = ["any", "stop", "length"] as const

export const CompletionsPage = ({ loaded, query }: { loaded: LoadedRun; query: URLSearchParams }) => {
  const { files, run } = loaded
  const { done, problem, rows, total } = useCompletions(run, files)
  const filter: CompletionFilter = {
    text: query.get("text") ?? "",
    worth: choice(query.get("worth"), WORTH),
    finish: choice(query.get("finish"), FINISH)
  }
  const set = (change: Partial<CompletionFilter>): void => {
    const { finish, text, worth } = { ...filter, ...change }
    restate(["run", run, "completions"], {
      text,
      worth: worth === "any" ? undefined : worth,
      finish: finish === "any" ? undefined : finish
    })
  }
  const kept = useMemo(() => matching(rows, filter), [rows, filter.text, filter.worth, filter.finish])
  return (
    <>
      <div class="controls">
        <label>
          question or answer{" "}
          <input type="search" value={filter.text} onInput={(event) => set({ text: event.currentTarget.value })} />
        </label>
        <label>
          worth{" "}
          <select value={filter.worth} onChange={(event) => set({ worth: choice(event.currentTarget.value, WORTH) })}>
            {WORTH.map((word) => (
              <option key={word}>{word}</option>
            ))}
          </select>
        </label>
        <label>
          end{" "}
          <select
            value={filter.finish}
            onChange={(event) => set({ finish: choice(event.currentTarget.value, FINISH) })}
          >
            {FINISH.map((word) => (
              <option key={word}>{word}</option>
            ))}
          </select>
        </label>
        <span role="status">
          {count(kept.length)} of {count(rows.length)} completions
          {done < total && `; ${done} of ${total} steps read`}
        </span>
      </div>
      {problem !== undefined && <p class="failure">{problem}</p>}
      <div class="completion head" aria-hidden="true">
        <span class="number">step</span>
        <span>question</span>
        <span class="number">k</span>
        <span>worth</span>
        <span class="number">advantage</span>
        <span class="number">tokens</span>
        <span>end</span>
        <span>answer</span>
      </div>
      <VirtualList rows={kept} rowHeight={28} label="completions" render={(row) => <Line row={row} run={run} />} />
    </>
  )
}
