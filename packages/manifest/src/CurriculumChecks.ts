/** What the settings of a curriculum mean together: one that has no effect is refused, and what cannot be drawn from before a profile is paid for. */
import type { CurriculumSpec } from "@gradus/domain/manifest/Curriculum"
import { type Breach, type Rule, when } from "./internal/Rule.ts"

type SpecOf<Name extends CurriculumSpec["batcher"]> = Extract<CurriculumSpec, { readonly batcher: Name }>

const at = (...keys: ReadonlyArray<string | number>): Breach["path"] => ["curriculum", ...keys]

const gaussian = (spec: SpecOf<"gaussian">): ReadonlyArray<Breach> => {
  const { centre, domain_ratios, domains, end, epochs, reuse, stairs, start } = spec
  const quantile = "has no effect with centre: quantile, which goes through the pool's own rates"
  return [
    ...when(centre === "quantile" && start !== undefined, at("start"), quantile),
    ...when(centre === "quantile" && end !== undefined, at("end"), quantile),
    ...when(
      centre !== "step" && stairs !== undefined,
      at("stairs"),
      `has no effect with centre: ${centre}: step has stairs`
    ),
    ...when(reuse !== undefined && epochs === undefined, at("reuse"), "has no effect without epochs"),
    ...when(
      domain_ratios !== undefined && domains === "ignore",
      at("domain_ratios"),
      "has no effect with domains: ignore"
    ),
    ...when(
      domain_ratios !== undefined && !Object.values(domain_ratios).some((ratio) => ratio > 0),
      at("domain_ratios"),
      "must have a ratio above 0"
    )
  ]
}

const balanced = ({ high, low }: SpecOf<"balanced">): ReadonlyArray<Breach> =>
  when(low > high, at("low"), `must be at most high, ${high}`)

/** A question is in one pool: two with one threshold, or one name, cannot be told apart. */
const pools = ({ pools: own }: SpecOf<"pools">): ReadonlyArray<Breach> =>
  own.flatMap(({ name, threshold }, i) => {
    const before = own.slice(0, i)
    const same = before.find((other) => other.threshold === threshold)
    return [
      ...when(same !== undefined, at("pools", i, "threshold"), `is that of ${same?.name}: pools need their own`),
      ...when(
        before.some((other) => other.name === name),
        at("pools", i, "name"),
        "names a second pool"
      )
    ]
  })

const settings: Rule = ({ curriculum }) => {
  switch (curriculum.batcher) {
    case "gaussian":
      return gaussian(curriculum)
    case "balanced":
      return balanced(curriculum)
    case "pools":
      return pools(curriculum)
    default:
      return []
  }
}

const selfDescribing = new Set(["fraction", "booleans"])

/** How many samples a rate is of is said once. */
const rates: Rule = ({ profile: { from } }) => {
  if (from === undefined) return []
  const { kind, n, n_column } = from
  const none = n === undefined && n_column === undefined
  return [
    ...when(none && !selfDescribing.has(kind), ["profile", "from", "n"], `or n_column is required by kind: ${kind}`),
    ...when(
      n !== undefined && n_column !== undefined,
      ["profile", "from", "n_column"],
      "stands beside n: samples are said once"
    )
  ]
}

export const curriculumRules: ReadonlyArray<Rule> = [settings, rates]
