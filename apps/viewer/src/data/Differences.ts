/** What several manifests say differently, by the path of the value. */
import { leaves } from "@gradus/domain/Leaves"

export interface Difference {
  readonly path: string
  /** One a manifest, as JSON; undefined where the path is not there. */
  readonly values: ReadonlyArray<string | undefined>
}

/** Lists the paths at which not all are equal, in the order in which they first come. */
export const differences = (manifests: ReadonlyArray<object>): ReadonlyArray<Difference> => {
  const all = manifests.map(leaves)
  const paths = new Set(all.flatMap((one) => [...one.keys()]))
  return [...paths]
    .map((path) => ({ path, values: all.map((one) => (one.has(path) ? JSON.stringify(one.get(path)) : undefined)) }))
    .filter(({ values }) => new Set(values).size > 1)
}
