/** What stands in a page's place until its files are there, or says why they are not. */
import type { ComponentChildren } from "preact"
import type { Loaded } from "../data/Load.ts"

/** Shows what was loaded, and whether it may be old; that it is on its way; or why it is not there. */
export const Waiting = <A,>({ loaded, children }: { loaded: Loaded<A>; children: (value: A) => ComponentChildren }) => {
  if (loaded.state === "loading")
    return (
      <p class="quiet" role="status">
        reading…
      </p>
    )
  if (loaded.state === "failed")
    return (
      <p class="failure" role="alert">
        {loaded.reason}
      </p>
    )
  return (
    <>
      {loaded.problem !== undefined && (
        <p class="failure" role="status">
          not up to date: {loaded.problem}
        </p>
      )}
      {children(loaded.value)}
    </>
  )
}
