/** A run's curves: every chart of the report, drawn again while the run goes on. */
import { useLoad } from "../data/Load.ts"
import type { LoadedRun } from "../data/Run.ts"
import { specsOf } from "../data/Specs.ts"
import { Chart } from "../parts/Chart.tsx"
import { Waiting } from "../parts/Waiting.tsx"

export const RunPage = ({ loaded: { record, run } }: { loaded: LoadedRun }) => {
  const drawn = useLoad(run, () => specsOf([record]), undefined, record)
  return (
    <Waiting loaded={drawn}>
      {(charts) =>
        charts.length === 0 ? (
          <p class="quiet">There is nothing to draw yet.</p>
        ) : (
          <div class="charts">
            {charts.map(({ caption, name, spec, title }) => (
              <Chart key={name} title={title} caption={caption} spec={spec} />
            ))}
          </div>
        )
      }
    </Waiting>
  )
}
