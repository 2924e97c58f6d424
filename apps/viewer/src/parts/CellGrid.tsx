/** The cells of a sweep, arms by seeds: what each reached, or how it stands; each leads to its run. */
import { percent } from "@gradus/analytics/report/Format"
import { finalOf } from "@gradus/analytics/sweep/SweepRecord"
import type { SweepCellEntry, SweepView } from "@gradus/domain/SweepIndex"
import { armsOf, seedsOf } from "../data/Sweep.ts"
import { link } from "../Router.ts"
import { WideTable } from "./WideTable.tsx"

const CLASS = { finished: "badge good", failed: "badge bad", stopped: "badge quiet" } as const

const Cell = ({ cell, set }: { cell: SweepCellEntry | undefined; set: string }) => {
  if (cell === undefined) return <td class="number">–</td>
  const name = CLASS[cell.state as keyof typeof CLASS] ?? "badge"
  const words =
    cell.state === "finished" ? percent(cell.result === null ? null : finalOf(cell.result, set)) : cell.state
  return (
    <td class="number">
      {cell.run === null ? (
        <span class={name}>{words}</span>
      ) : (
        <a class={name} href={link(["run", cell.run])} aria-label={`${cell.arm}, seed ${cell.seed}: ${words}`}>
          {words}
        </a>
      )}
    </td>
  )
}

export const CellGrid = ({ set, view }: { set: string; view: SweepView }) => {
  const seeds = seedsOf(view)
  const at = new Map(view.cells.map((cell) => [`${cell.seed}/${cell.arm}`, cell]))
  return (
    <WideTable
      label="cells by arm and seed"
      caption={`Last accuracy of ${set} where a cell is finished, else its state; begun is at work, or was killed. Each leads to its run.`}
      columns={[
        { key: "arm", name: "arm" },
        ...seeds.map((seed) => ({ key: String(seed), name: `seed ${seed}`, number: true }))
      ]}
    >
      {armsOf(view).map((arm) => (
        <tr key={arm}>
          <th scope="row" class="arm">
            <bdi>{arm}</bdi> {arm === view.baseline && <span class="quiet">(baseline)</span>}
          </th>
          {seeds.map((seed) => (
            <Cell key={seed} cell={at.get(`${seed}/${arm}`)} set={set} />
          ))}
        </tr>
      ))}
    </WideTable>
  )
}
