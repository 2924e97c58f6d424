/** A table that the report of a sweep has too, row by row an arm. */
import type { ArmTable as Table } from "@gradus/analytics/report/SweepRows"
import { WideTable } from "./WideTable.tsx"

export const ArmTable = ({ label, table: { caption, columns, rows } }: { label: string; table: Table }) => (
  <WideTable
    label={label}
    caption={caption}
    columns={[{ key: "arm", name: "arm" }, ...columns.map((name) => ({ key: name, name, number: true }))]}
  >
    {rows.map(({ arm, cells }) => (
      <tr key={arm}>
        <th scope="row" class="arm">
          <bdi>{arm}</bdi>
        </th>
        {cells.map((cell, i) => (
          <td key={columns[i]} class="number">
            {cell}
          </td>
        ))}
      </tr>
    ))}
  </WideTable>
)
