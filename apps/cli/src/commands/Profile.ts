/** `gradus profile M`: pass rates of a manifest's questions under the policy that training starts from. */
import { filter } from "@gradus/curriculum/Filter"
import { load } from "@gradus/manifest/service/Load"
import { profileOf } from "@gradus/experiment/Run"
import { layout } from "@gradus/experiment/RunDirectory"
import * as Effect from "effect/Effect"
import { arithmetic } from "../Arithmetic.ts"
import { Engines } from "../Engines.ts"
import { print, printJson, say } from "../Output.ts"
import { runInput, trainerPlace } from "../RunPlace.ts"
import * as TerminalProgress from "../TerminalProgress.ts"
import type { RunOptions } from "./Run.ts"

/** Measures pass rates (once: a second call reads them) and prints how they are spread. */
export const profile = Effect.fn("gradus.profile")(function* (options: RunOptions) {
  const input = yield* runInput(yield* load(options.manifest, options.set), options.runs)
  const { manifest } = input.resolved
  for (const line of arithmetic(manifest).slice(0, manifest.warmup === undefined ? 1 : 2)) yield* say(line)
  const { lease, run: enginesOf } = yield* Engines
  const engines = enginesOf(manifest, yield* trainerPlace(input.root))
  const rates = yield* profileOf(input, engines).pipe(Effect.provide([lease, TerminalProgress.layer]))
  const { byLevel, kept } = filter(rates, manifest.filter, manifest.profile.samples)
  const output = (yield* layout(input.root)).profile
  const unscored = rates.reduce((sum, row) => sum + row.n - row.scored, 0)
  const result = {
    questions: rates.length,
    samples: manifest.profile.samples,
    passed: rates.reduce((sum, row) => sum + row.passed, 0),
    unscored,
    byLevel,
    output
  }
  if (options.json) return yield* printJson(result)
  yield* print(
    `${result.questions} questions x ${result.samples} samples, ${kept.length} below ${manifest.filter.drop_at}, ${unscored} unscored`
  )
  for (const [level, count] of Object.entries(byLevel)) yield* print(`  ${level}/${result.samples}: ${count}`)
  yield* print(output)
})
