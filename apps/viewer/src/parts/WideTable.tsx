/** A table that scrolls sideways where the page is narrower than it is; the keyboard reaches it. */
import type { ComponentChildren } from "preact"

export interface Column {
  readonly key: string
  /** Nothing: a column of controls, which has no heading. */
  readonly name?: ComponentChildren
  readonly number?: boolean
}

export const WideTable = ({
  caption,
  children,
  columns,
  label
}: {
  caption?: string
  children: ComponentChildren
  columns: ReadonlyArray<Column>
  label: string
}) => (
  <div class="wide" tabIndex={0} role="region" aria-label={label}>
    <table>
      {caption !== undefined && (
        <caption>
          <span>{caption}</span>
        </caption>
      )}
      <thead>
        <tr>
          {columns.map(({ key, name, number }) =>
            name === undefined ? (
              <td key={key} />
            ) : (
              <th key={key} scope="col" class={number === true ? "number" : undefined}>
                {name}
              </th>
            )
          )}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  </div>
)
