/** One sweep: its cells, arms against the baseline, and the charts of its report; read again while cells are open. */
import { armTable, differenceTable, sweepNotes } from "@gradus/analytics/report/SweepRows"
import type { SweepView } from "@gradus/domain/SweepIndex"
import { sweepView } from "../data/Files.ts"
import { useLoad } from "../data/Load.ts"
import { compareSweep } from "../data/Specs.ts"
import { goesOn, recordOf, setsOf } from "../data/Sweep.ts"
import { ArmTable } from "../parts/ArmTable.tsx"
import { CellGrid } from "../parts/CellGrid.tsx"
import { Chart } from "../parts/Chart.tsx"
import { Waiting } from "../parts/Waiting.tsx"
import { link, restate } from "../Router.ts"

const LIVE_MS = 5000

const Head = ({ view }: { view: SweepView }) => (
  <>
    {view.description !== null && (
      <p>
        <bdi>{view.description}</bdi>
      </p>
    )}
    <p class="quiet">
      {view.simulated && <strong class="badge warn">simulation</strong>}{" "}
      {view.cells.filter(({ state }) => state === "finished").length} of {view.cells.length} cells finished, baseline{" "}
      <bdi>{view.baseline}</bdi>, plan <code>{view.digest.slice(0, 16)}</code>
    </p>
  </>
)

const Failures = ({ view }: { view: SweepView }) => {
  const failed = view.cells.filter(({ message }) => message !== null)
  if (failed.length === 0) return null
  return (
    <section aria-labelledby="failures">
      <h2 id="failures">Failures</h2>
      <ul>
        {failed.map(({ arm, attempts, message, run, seed }) => (
          <li key={`${seed}/${arm}`}>
            {run === null ? (
              <bdi>{arm}</bdi>
            ) : (
              <a href={link(["run", run])}>
                <bdi>{arm}</bdi>
              </a>
            )}
            , seed {seed}, attempts {attempts}
            <pre>
              <bdi>{message}</bdi>
            </pre>
          </li>
        ))}
      </ul>
    </section>
  )
}

const Comparison = ({ set, view }: { set: string; view: SweepView }) => {
  const record = recordOf(view, set)
  // all that the comparison is made from: a page stays open while the sweep goes on, is extended, or compares otherwise
  const key = JSON.stringify({ ...record, cells: record.cells.length })
  const loaded = useLoad(key, () => compareSweep(record, view.simulated))
  if (record.cells.length === 0) return <p class="quiet">No cell is finished yet.</p>
  return (
    <Waiting loaded={loaded}>
      {({ comparison, drawn }) => (
        <>
          <section aria-labelledby="against">
            <h2 id="against">
              Against <bdi>{view.baseline}</bdi>
            </h2>
            {sweepNotes(record, comparison).map((note) => (
              <p key={note} class="quiet">
                {note}
              </p>
            ))}
            <ArmTable label="differences to the baseline" table={differenceTable(comparison)} />
          </section>
          <section aria-labelledby="arms">
            <h2 id="arms">Arms</h2>
            <ArmTable label="arms by themselves" table={armTable(comparison)} />
          </section>
          <section aria-labelledby="charts">
            <h2 id="charts">Charts</h2>
            <div class="charts">
              {drawn.map(({ caption, name, spec, title }) => (
                <Chart key={name} title={title} caption={caption} spec={spec} />
              ))}
            </div>
          </section>
        </>
      )}
    </Waiting>
  )
}

export const SweepPage = ({ query, sweep }: { query: URLSearchParams; sweep: string }) => {
  const loaded = useLoad(
    sweep,
    () => sweepView(sweep),
    (view) => (goesOn(view) ? LIVE_MS : undefined)
  )
  return (
    <>
      <h1>
        Sweep <bdi>{sweep}</bdi>
      </h1>
      <Waiting loaded={loaded}>
        {(view) => {
          const sets = setsOf(view)
          const asked = query.get("set") ?? view.metric.set
          const set = sets.includes(asked) ? asked : view.metric.set
          return (
            <>
              <Head view={view} />
              <div class="controls">
                <label>
                  evaluation set{" "}
                  <select
                    value={set}
                    onChange={(event) => restate(["sweep", sweep], { set: event.currentTarget.value })}
                  >
                    {sets.map((one) => (
                      <option key={one} value={one}>
                        {one}
                      </option>
                    ))}
                  </select>
                </label>
              </div>
              <CellGrid view={view} set={set} />
              <Failures view={view} />
              <Comparison view={view} set={set} />
            </>
          )
        }}
      </Waiting>
    </>
  )
}
