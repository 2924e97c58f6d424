/** A text looked for everywhere: in the names of runs, in questions, and in completions. The address holds it. */
import type { RunEntry } from "@gradus/domain/RunIndex"
import { useEffect, useState } from "preact/hooks"
import { runIndex } from "../data/Files.ts"
import { useLoad } from "../data/Load.ts"
import { type Found, MOST, nothing, search } from "../data/Search.ts"
import { Waiting } from "../parts/Waiting.tsx"
import { link, restate } from "../Router.ts"

const most = (count: number): string => (count >= MOST ? `the first ${MOST}` : String(count))

const None = ({ of }: { of: ReadonlyArray<unknown> }) => (of.length === 0 ? <p class="quiet">none</p> : null)

const Hits = ({ found, named, total }: { found: Found; named: ReadonlyArray<RunEntry>; total: number }) => (
  <>
    <p role="status" class="quiet">
      {found.runs} of {total} runs searched
    </p>
    <h2>Runs ({named.length})</h2>
    <None of={named} />
    <ul>
      {named.map(({ run }) => (
        <li key={run}>
          <a href={link(["run", run])}>{run}</a>
        </li>
      ))}
    </ul>
    <h2>Questions ({most(found.questions.length)})</h2>
    <None of={found.questions} />
    <ul>
      {found.questions.map(({ excerpt, question, run }) => (
        <li key={`${run}/${question}`}>
          <a href={link(["run", run, "question", question])}>
            <bdi>{question}</bdi>
          </a>{" "}
          <span class="quiet">
            <bdi>{excerpt}</bdi> in {run}
          </span>
        </li>
      ))}
    </ul>
    <h2>Completions ({most(found.completions.length)})</h2>
    <None of={found.completions} />
    <ul>
      {found.completions.map(({ excerpt, k, question, run, step, value }) => (
        <li key={`${run}/${step}/${question}/${k}`}>
          <a href={link(["run", run, "group", step, question], { k })}>
            step {step}, <bdi>{question}</bdi>, {k}
          </a>{" "}
          <span class={`worth ${value === null ? "none" : value > 0 ? "right" : "wrong"}`}>
            <bdi>{excerpt}</bdi>
          </span>{" "}
          <span class="quiet">in {run}</span>
        </li>
      ))}
    </ul>
  </>
)

const Results = ({ runs, text }: { runs: ReadonlyArray<RunEntry>; text: string }) => {
  // what was found for another text is not shown for this one
  const [[of, found], setFound] = useState<readonly [string, Found]>([text, nothing])
  useEffect(() => {
    const leaving = new AbortController()
    const names = runs.map(({ run }) => run)
    void search(names, text, (now) => setFound([text, now]), leaving.signal)
    return () => leaving.abort()
  }, [text, runs])
  const named = runs.filter(({ run }) => run.toLowerCase().includes(text.trim().toLowerCase()))
  return <Hits found={of === text ? found : nothing} named={named} total={runs.length} />
}

export const SearchPage = ({ query }: { query: URLSearchParams }) => {
  const text = query.get("text") ?? ""
  const loaded = useLoad("search", runIndex)
  return (
    <>
      <h1>Search</h1>
      <form
        class="controls"
        role="search"
        onSubmit={(event) => {
          event.preventDefault()
          restate(["search"], { text: String(new FormData(event.currentTarget).get("text") ?? "") })
        }}
      >
        <label>
          in runs, questions and completions <input type="search" name="text" defaultValue={text} key={text} />
        </label>
        <button type="submit" class="button">
          search
        </button>
      </form>
      {text.trim() !== "" && <Waiting loaded={loaded}>{({ runs }) => <Results runs={runs} text={text} />}</Waiting>}
    </>
  )
}
