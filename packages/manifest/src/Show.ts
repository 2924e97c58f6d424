/** `gradus config show`: the resolved manifest, one value a line, with where it came from. */
import type { Origin } from "./Provenance.ts"
import type { ResolvedManifest } from "./Resolve.ts"

const origin = (from: Origin): string => {
  if (from.kind === "file") return `${from.file}:${from.line}`
  return from.kind === "override" ? from.text : "default"
}

/** A plain text stands as it is; one that YAML would read otherwise stands in JSON's quotes, which are YAML's too. */
const shownValue = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(shownValue).join(", ")}]`
  if (typeof value !== "string") return JSON.stringify(value)
  const plain = /^[A-Za-z/][\w./-]*$/.test(value) && !/^(true|false|null)$/i.test(value)
  return plain ? value : JSON.stringify(value)
}

/** Lines up longer than this would push all comments off the screen. */
const widest = 60

/** Writes `path: value   # file:line | -s … | default`, aligned; without the comments it is what the run does. Ends in a line feed. */
export const show = (resolved: ResolvedManifest): string => {
  const rows = resolved.provenance.map((row) => [`${row.path}: ${shownValue(row.value)}`, origin(row.from)] as const)
  const width = Math.max(0, ...rows.map(([text]) => text.length).filter((length) => length <= widest))
  return rows.map(([text, from]) => `${text.padEnd(width)}   # ${from}\n`).join("")
}
