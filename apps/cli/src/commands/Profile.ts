/** `gradus profile M`: pass rates of a manifest's questions under the policy that training starts from. */
import { misfilterRate } from "@gradus/curriculum/EarlyDecision"
import { boundNotes, PRIOR } from "@gradus/curriculum/Estimate"
import { filter } from "@gradus/curriculum/Filter"
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import type { ProfileRow } from "@gradus/domain/Profile"
import { exists } from "@gradus/experiment/AtomicFile"
import { readJournal } from "@gradus/experiment/Journal"
import { timed } from "@gradus/experiment/Records"
import { load } from "@gradus/manifest/service/Load"
import { profileOf } from "@gradus/experiment/Run"
import { layout, type RunDirectory } from "@gradus/experiment/RunDirectory"
import * as Effect from "effect/Effect"
import { arithmetic } from "../Arithmetic.ts"
import { Engines } from "../Engines.ts"
import { print, printJson, say } from "../Output.ts"
import { runInput, trainerPlace } from "../RunPlace.ts"
import * as TerminalProgress from "../TerminalProgress.ts"
import type { RunOptions } from "./Run.ts"

/** Samples that are on disk before a call: all of a profile that is whole, else those of an attempt that was cut off. */
const storedBefore = Effect.fnUntraced(function* (directory: RunDirectory, { profile: spec, trainer }: Manifest) {
  if (yield* exists(directory.profile)) return Infinity
  let chunks = 0
  while (yield* exists(directory.profileChunk(chunks))) chunks++
  return chunks * trainer.chunk_prompts * spec.samples
})

/** Measures pass rates (once: a second call reads them) and prints how they are spread. */
export const profile = Effect.fn("gradus.profile")(function* (options: RunOptions) {
  const input = yield* runInput(yield* load(options.manifest, options.set), options.runs)
  const { manifest } = input.resolved
  for (const line of arithmetic(manifest).slice(0, manifest.warmup === undefined ? 1 : 2)) yield* say(line)
  const { lease, run: enginesOf } = yield* Engines
  const engines = enginesOf(manifest, yield* trainerPlace(input.root))
  const directory = yield* layout(input.root)
  const stored = yield* storedBefore(directory, manifest)
  const measured = profileOf(input, engines).pipe(Effect.provide([lease, TerminalProgress.layer]))
  const [rates, seconds] = yield* timed(measured)
  const { credible_level, samples } = manifest.profile
  const { byLevel, byReason, kept, notes } = filter(rates, manifest.filter, samples)
  const sum = (of: (row: ProfileRow) => number): number => rates.reduce((total, row) => total + of(row), 0)
  const { events } = yield* readJournal(directory.journal)
  const shared = events.some((event) => event._tag === "stage_finished" && event.stage === "profile" && event.reused)
  const all = sum(({ n }) => n)
  const reused = shared ? all : Math.min(all, stored)
  const unscored = sum((row) => row.n - row.scored)
  const result = {
    questions: rates.length,
    samples,
    asked: all - reused,
    reused,
    passed: sum(({ passed }) => passed),
    unscored,
    byLevel,
    byReason,
    expected_misfiltered: misfilterRate(rates, manifest.filter, PRIOR),
    credible_level,
    prior: PRIOR,
    notes: [...notes, ...boundNotes(samples, { ...manifest.filter, credible_level })],
    seconds: Math.round(seconds * 1000) / 1000,
    output: directory.profile
  }
  if (options.json) return yield* printJson(result)
  yield* print(
    `${result.questions} questions x ${samples} samples, ${result.asked} asked, ${reused} reused, ${kept.length} below ${manifest.filter.drop_at}, ${unscored} unscored`
  )
  for (const [level, count] of Object.entries(byLevel)) yield* print(`  ${level}/${samples}: ${count}`)
  for (const note of result.notes) yield* print(note)
  yield* print(result.output)
})
