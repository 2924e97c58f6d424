/** `extends:` a later file's maps are laid over an earlier file's, key by key; lists and scalars replace. */
import type { Entry, Tree } from "./Tree.ts"

/** Keys whose value decides which other keys are allowed beside it. */
const discriminators = ["kind", "batcher"]

/** A map that says another kind is another thing: nothing of the earlier one is kept. */
const differs = (base: ReadonlyMap<string, Entry>, over: ReadonlyMap<string, Entry>): boolean =>
  discriminators.some((key) => {
    const [a, b] = [base.get(key)?.node, over.get(key)?.node]
    return a?.kind === "scalar" && b?.kind === "scalar" && a.value !== b.value
  })

/** Lays `over` on `base`. */
export const merge = (base: Tree, over: Tree): Tree => {
  if (base.kind !== "map" || over.kind !== "map" || differs(base.entries, over.entries)) return over
  const entries = new Map(base.entries)
  for (const [key, entry] of over.entries) {
    const below = base.entries.get(key)
    entries.set(key, below === undefined ? entry : { key: entry.key, node: merge(below.node, entry.node) })
  }
  return { kind: "map", at: over.at, entries }
}
