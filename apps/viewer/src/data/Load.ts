/** What a page has of what it asked for. */
import { useEffect, useState } from "preact/hooks"

export type Loaded<A> =
  | { readonly state: "loading" }
  | { readonly state: "failed"; readonly reason: string }
  | {
      readonly state: "ready"
      readonly value: A
      /** Why it could not be read again: what is there may be old. */
      readonly problem?: string
    }

/** What a failure leaves: what was there before, with the reason beside it. */
export const afterFailure = <A>(before: Loaded<A>, reason: string): Loaded<A> =>
  before.state === "ready" ? { ...before, problem: reason } : { state: "failed", reason }

/** Where a page reads again at all, it tries again so long after a first failure. */
const RETRY_MS = 3000

/**
 * Loads when the key changes, and again every `again` ms where that is given, or when what it is made from changes. What is there stays until the
 * new is, but not for another key. A failure does not end it: a run that goes on may be read between two of its writes.
 */
export const useLoad = <A>(
  key: string,
  load: () => Promise<A>,
  again?: (value: A) => number | undefined,
  from?: unknown
): Loaded<A> => {
  const [loaded, setLoaded] = useState<readonly [string, Loaded<A>]>([key, { state: "loading" }])
  useEffect(() => {
    let over = false
    let timer: ReturnType<typeof setTimeout> | undefined
    let pause = again === undefined ? undefined : RETRY_MS
    const once = async (): Promise<void> => {
      try {
        const value = await load()
        if (over) return
        setLoaded([key, { state: "ready", value }])
        pause = again?.(value)
      } catch (cause) {
        if (over) return
        const reason = cause instanceof Error ? cause.message : String(cause)
        setLoaded(([of, before]) => [key, afterFailure(of === key ? before : { state: "loading" }, reason)])
      }
      if (pause !== undefined) timer = setTimeout(() => void once(), pause)
    }
    void once()
    return () => {
      over = true
      clearTimeout(timer)
    }
  }, [key, from])
  return loaded[0] === key ? loaded[1] : { state: "loading" }
}
