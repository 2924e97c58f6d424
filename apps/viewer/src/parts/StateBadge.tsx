/** How a run stands, and when an unfinished one was last written. */
import type { RunEntry } from "@gradus/domain/RunIndex"
import { ago, runState } from "../data/RunState.ts"

const CLASS = { finished: "badge good", running: "badge live", stopped: "badge" } as const

export const StateBadge = ({ of }: { of: Pick<RunEntry, "changed" | "finished" | "owned"> }) => {
  const now = Date.now()
  const state = runState(of, now)
  const written = Math.max(of.changed ?? 0, of.owned ?? 0)
  return (
    <>
      <span class={CLASS[state]}>{state}</span>{" "}
      {state !== "finished" && written > 0 && <span class="quiet">written {ago(written, now)}</span>}
    </>
  )
}
