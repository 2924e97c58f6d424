/** The table of runs: what each is, how far it is, what came of it; some can be chosen and set side by side. */
import { percent } from "@gradus/analytics/report/Format"
import type { RunEntry } from "@gradus/domain/RunIndex"
import { useState } from "preact/hooks"
import { runIndex } from "../data/Files.ts"
import { useLoad } from "../data/Load.ts"
import { Sparkline } from "../parts/Sparkline.tsx"
import { StateBadge } from "../parts/StateBadge.tsx"
import { Waiting } from "../parts/Waiting.tsx"
import { WideTable } from "../parts/WideTable.tsx"
import { link, restate } from "../Router.ts"

const AGAIN_MS = 5000

const COLUMNS = [
  { key: "choose" },
  { key: "run", name: "run" },
  { key: "state", name: "state" },
  { key: "steps", name: "steps", number: true },
  { key: "seed", name: "seed", number: true },
  { key: "batcher", name: "batcher" },
  { key: "reward", name: "reward", number: true },
  { key: "accuracy", name: "accuracy" },
  { key: "begun", name: "begun (UTC)" }
]

const last = (values: ReadonlyArray<number | null>): number | null => values.findLast((value) => value !== null) ?? null

const Row = ({ chosen, entry, onChoose }: { chosen: boolean; entry: RunEntry; onChoose: () => void }) => (
  <tr>
    <td>
      <input type="checkbox" checked={chosen} onChange={onChoose} aria-label={`choose ${entry.run}`} />
    </td>
    <th scope="row">
      <a href={link(["run", entry.run])}>{entry.run}</a> {entry.simulated && <span class="badge warn">simulation</span>}
    </th>
    <td>
      <StateBadge of={entry} />
    </td>
    <td class="number">{entry.steps}</td>
    <td class="number">{entry.seed}</td>
    <td>{entry.batcher}</td>
    <td class="number">
      {percent(last(entry.reward))} <Sparkline values={entry.reward} />
    </td>
    <td>
      {entry.evaluation.map(({ first, last: then, set }) => (
        <div key={set}>
          {set} {percent(first)} → {percent(then)}
        </div>
      ))}
    </td>
    <td>{entry.created?.slice(0, 16).replace("T", " ") ?? "–"}</td>
  </tr>
)

export const RunsPage = ({ query }: { query: URLSearchParams }) => {
  const loaded = useLoad("runs", runIndex, () => AGAIN_MS)
  const text = query.get("text") ?? ""
  const [chosen, setChosen] = useState<ReadonlyArray<string>>([])
  const choose = (run: string): void =>
    setChosen((now) => (now.includes(run) ? now.filter((one) => one !== run) : [...now, run]))
  return (
    <>
      <h1>Runs</h1>
      <div class="controls">
        <label>
          search{" "}
          <input type="search" value={text} onInput={(event) => restate([], { text: event.currentTarget.value })} />
        </label>
        {chosen.length > 1 ? (
          <a class="button" href={link(["compare"], { runs: chosen.join(",") })}>
            compare {chosen.length} runs
          </a>
        ) : (
          <span class="quiet">choose two or more to compare them</span>
        )}
      </div>
      <Waiting loaded={loaded}>
        {({ runs }) => (
          <>
            <WideTable label="table of runs" columns={COLUMNS}>
              {runs
                .filter((entry) => `${entry.run} ${entry.batcher}`.toLowerCase().includes(text.toLowerCase()))
                .map((entry) => (
                  <Row
                    key={entry.run}
                    entry={entry}
                    chosen={chosen.includes(entry.run)}
                    onChoose={() => choose(entry.run)}
                  />
                ))}
            </WideTable>
            {runs.length === 0 && <p class="quiet">There is no run in this directory yet.</p>}
          </>
        )}
      </Waiting>
    </>
  )
}
