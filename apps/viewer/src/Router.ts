/** Addresses of pages: everything that a page shows is in the part after `#`, so that a link to it works from any server and from a folder. */
import { useEffect, useState } from "preact/hooks"

export interface Place {
  /** The parts of the path, decoded. */
  readonly path: ReadonlyArray<string>
  readonly query: URLSearchParams
}

/** Reads an address; `#/run/a--b/group/3/q1?k=2` has the path run, a--b, group, 3, q1. */
export const parse = (hash: string): Place => {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2)
  const parts = path.split("/").filter((part) => part !== "")
  return { path: parts.map(decoded), query: new URLSearchParams(query) }
}

const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** Writes an address. Values that are undefined or empty are left out. */
export const link = (
  path: ReadonlyArray<string | number>,
  query: Readonly<Record<string, string | number | undefined>> = {}
): string => {
  const said = Object.entries(query).flatMap(([key, value]) =>
    value === undefined || value === "" ? [] : [[key, String(value)]]
  )
  const tail = said.length === 0 ? "" : `?${new URLSearchParams(said).toString()}`
  return `#/${path.map((part) => encodeURIComponent(String(part))).join("/")}${tail}`
}

/** Follows the address. */
export const usePlace = (): Place => {
  const [place, setPlace] = useState(() => parse(location.hash))
  useEffect(() => {
    const follow = (): void => setPlace(parse(location.hash))
    addEventListener("hashchange", follow)
    return () => removeEventListener("hashchange", follow)
  }, [])
  return place
}

/** Changes what the address says of the present page, without a new entry in the history. */
export const restate = (
  path: ReadonlyArray<string | number>,
  query: Readonly<Record<string, string | number | undefined>>
): void => {
  history.replaceState(null, "", link(path, query))
  dispatchEvent(new HashChangeEvent("hashchange"))
}
