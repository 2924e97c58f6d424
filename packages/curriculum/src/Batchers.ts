/** From a manifest's `curriculum:` to the batcher that it names, with its settings bound. */
import type { CurriculumSpec } from "@gradus/domain/manifest/Curriculum"
import type { RatedQuestion } from "@gradus/domain/Profile"
import type { Batcher, DrawOptions } from "./Batcher.ts"
import { adarft } from "./batchers/AdaRft.ts"
import { balanced } from "./batchers/Balanced.ts"
import { bandit } from "./batchers/Bandit.ts"
import { e2hGaussian } from "./batchers/E2hGaussian.ts"
import { gaussian, type GaussianOptions } from "./batchers/Gaussian.ts"
import { learnability } from "./batchers/Learnability.ts"
import { pools } from "./batchers/Pools.ts"
import { reversed } from "./batchers/Reversed.ts"
import { sorted } from "./batchers/Sorted.ts"
import { uniform } from "./batchers/Uniform.ts"

/** A batcher whose settings are bound: only what every batcher needs is left to say. Its states are its own; nobody else reads them. */
export type BoundBatcher = Batcher<unknown, DrawOptions>

/** Binds settings. States stay with the batcher that made them, so that their type may be forgotten. */
const bind = <State, Options extends DrawOptions>(
  batcher: Batcher<State, Options>,
  settings: Omit<Options, keyof DrawOptions>
): BoundBatcher =>
  ({
    ...batcher,
    init: (pool: ReadonlyArray<RatedQuestion>, options: DrawOptions) =>
      batcher.init(pool, { ...settings, ...options } as Options)
    // a state goes back to the batcher that made it alone, which no type can say
  }) as unknown as BoundBatcher

const gaussianSettings = (
  spec: Extract<CurriculumSpec, { readonly batcher: "gaussian" }>
): Omit<GaussianOptions, keyof DrawOptions> => ({
  sigma: spec.sigma,
  sigmaEnd: spec.sigma_end,
  centre: spec.centre,
  stairs: spec.stairs,
  start: spec.start,
  end: spec.end,
  epochs: spec.epochs,
  reuse: spec.reuse,
  domains: spec.domains === "ignore" ? "ignore" : (spec.domain_ratios ?? "pool")
})

/** Finds the batcher that a manifest names. */
export const batcherOf = (spec: CurriculumSpec): BoundBatcher => {
  switch (spec.batcher) {
    case "gaussian":
      return bind(gaussian, gaussianSettings(spec))
    case "uniform":
      return bind(uniform, {})
    case "sorted":
      return bind(sorted, {})
    case "reversed":
      return bind(reversed, {})
    case "balanced":
      return bind(balanced, spec)
    case "e2h_gaussian":
      return bind(e2hGaussian, spec)
    case "adarft":
      return bind(adarft, spec)
    case "learnability":
      return bind(learnability, spec)
    case "pools":
      return bind(pools, spec)
    case "bandit":
      return bind(bandit, spec)
  }
}

const adaptive: ReadonlySet<CurriculumSpec["batcher"]> = new Set([
  "balanced",
  "adarft",
  "learnability",
  "pools",
  "bandit"
])

/** Tells whether a batcher learns from outcomes, so that only a run can say its batches. */
export const needsOutcomes = ({ batcher }: CurriculumSpec): boolean => adaptive.has(batcher)

/** Counts how often a pass serves each question; Infinity for batchers that draw with replacement and never end by themselves. */
export const passesOf = (spec: CurriculumSpec): number => {
  if (spec.batcher === "gaussian") return spec.reuse === true ? (spec.epochs ?? 1) : 1
  return "reuse" in spec && spec.reuse ? Infinity : 1
}
