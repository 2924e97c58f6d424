/** A list of any length of which only the visible rows exist. Arrow keys, Page Up and Down, Home and End move in it. */
import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  type VirtualItem,
  Virtualizer
} from "@tanstack/virtual-core"
import type { ComponentChildren } from "preact"
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks"

export interface VirtualListProps<Row> {
  readonly rows: ReadonlyArray<Row>
  readonly rowHeight: number
  readonly label: string
  readonly render: (row: Row, index: number) => ComponentChildren
}

export const VirtualList = <Row,>({ label, render, rowHeight, rows }: VirtualListProps<Row>) => {
  const place = useRef<HTMLDivElement>(null)
  const [, redraw] = useState(0)
  const options = {
    count: rows.length,
    getScrollElement: () => place.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange: () => redraw((n) => n + 1)
  }
  const [list] = useState(() => new Virtualizer<HTMLDivElement, HTMLDivElement>(options))
  list.setOptions(options)
  useEffect(() => list._didMount(), [])
  useLayoutEffect(() => list._willUpdate())
  return (
    <div class="virtual" ref={place} tabIndex={0} role="list" aria-label={label}>
      <div class="virtual-all" style={{ height: `${list.getTotalSize()}px` }}>
        {list.getVirtualItems().map(({ index, start }: VirtualItem) => {
          const row = rows[index]
          return row === undefined ? null : (
            <div
              key={index}
              class="virtual-row"
              role="listitem"
              aria-setsize={rows.length}
              aria-posinset={index + 1}
              style={{ height: `${rowHeight}px`, transform: `translateY(${start}px)` }}
            >
              {render(row, index)}
            </div>
          )
        })}
      </div>
    </div>
  )
}
