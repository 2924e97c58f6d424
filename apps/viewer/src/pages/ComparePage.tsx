/** Several runs side by side: what their manifests say differently, and their curves in one chart. */
import { differences } from "../data/Differences.ts"
import { useLoad } from "../data/Load.ts"
import { loadRun } from "../data/Run.ts"
import { specsOf } from "../data/Specs.ts"
import { Chart } from "../parts/Chart.tsx"
import { Waiting } from "../parts/Waiting.tsx"
import { WideTable } from "../parts/WideTable.tsx"
import { link } from "../Router.ts"

export const ComparePage = ({ runs }: { runs: ReadonlyArray<string> }) => {
  const loaded = useLoad(runs.join(), () =>
    Promise.all(runs.map(loadRun)).then(async (all) => ({ all, drawn: await specsOf(all.map(({ record }) => record)) }))
  )
  return (
    <>
      <h1>Compare</h1>
      <Waiting loaded={loaded}>
        {({ all, drawn }) => {
          const rows = differences(all.map(({ record }) => record.manifest))
          return (
            <>
              {drawn.map(({ caption, name, spec, title }) => (
                <Chart key={name} title={title} caption={caption} spec={spec} />
              ))}
              <WideTable
                label="differences of the manifests"
                caption={rows.length === 0 ? "The manifests are equal." : "What the manifests say differently"}
                columns={[
                  { key: "setting", name: "setting" },
                  ...runs.map((run) => ({ key: run, name: <a href={link(["run", run])}>{run}</a> }))
                ]}
              >
                {rows.map(({ path, values }) => (
                  <tr key={path}>
                    <th scope="row">{path}</th>
                    {values.map((value, i) => (
                      <td key={runs[i]}>{value ?? "–"}</td>
                    ))}
                  </tr>
                ))}
              </WideTable>
            </>
          )
        }}
      </Waiting>
    </>
  )
}
