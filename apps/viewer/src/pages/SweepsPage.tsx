/** The table of sweeps: how many cells each has, and how they stand. */
import type { SweepEntry } from "@gradus/domain/SweepIndex"
import { sweepIndex } from "../data/Files.ts"
import { useLoad } from "../data/Load.ts"
import { Waiting } from "../parts/Waiting.tsx"
import { WideTable } from "../parts/WideTable.tsx"
import { link } from "../Router.ts"

const AGAIN_MS = 5000

const COLUMNS = [
  { key: "sweep", name: "sweep" },
  { key: "description", name: "description" },
  { key: "arms", name: "arms", number: true },
  { key: "seeds", name: "seeds", number: true },
  { key: "finished", name: "finished", number: true },
  { key: "other", name: "other cells" }
]

const Row = ({ entry: { arms, cells, description, planned, seeds, sweep } }: { entry: SweepEntry }) => (
  <tr>
    <th scope="row">
      <a href={link(["sweep", sweep])}>{sweep}</a>
    </th>
    <td>
      <bdi>{description ?? ""}</bdi>
    </td>
    <td class="number">{arms}</td>
    <td class="number">{seeds}</td>
    <td class="number">
      {cells["finished"] ?? 0} of {planned}
    </td>
    <td>
      {Object.entries(cells)
        .filter(([state]) => state !== "finished")
        .map(([state, count]) => `${count} ${state}`)
        .join(", ")}
    </td>
  </tr>
)

export const SweepsPage = () => {
  const loaded = useLoad("sweeps", sweepIndex, () => AGAIN_MS)
  return (
    <>
      <h1>Sweeps</h1>
      <Waiting loaded={loaded}>
        {({ sweeps }) =>
          sweeps.length === 0 ? (
            <p class="quiet">There is no sweep in this directory yet; `gradus sweep plan` makes one.</p>
          ) : (
            <WideTable label="table of sweeps" columns={COLUMNS}>
              {sweeps.map((entry) => (
                <Row key={entry.sweep} entry={entry} />
              ))}
            </WideTable>
          )
        }
      </Waiting>
    </>
  )
}
