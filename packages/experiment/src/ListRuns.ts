/** Lists the runs of a directory and the files of a run, for viewers. Reads files only; a run that cannot be read is left out of the list. */
import type { JournalEvent } from "@gradus/domain/Journal"
import { Lineage } from "@gradus/domain/Lineage"
import { RUN_FILE, RUN_NAME, type RunEntry, type RunFiles, type RunIndex } from "@gradus/domain/RunIndex"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { exists, readJson } from "./AtomicFile.ts"
import { readJournal } from "./Journal.ts"
import { earlierOwner, ownerFolder } from "./Owner.ts"
import { bySet, ResolvedFile } from "./ReadRun.ts"
import { layout } from "./RunDirectory.ts"

const POINTS = 60

/** Thins a series to at most `points` values: the mean of each stretch. */
const thinned = (values: ReadonlyArray<number | null>, points: number): ReadonlyArray<number | null> => {
  if (values.length <= points) return values
  return Array.from({ length: points }, (_, i) => {
    const stretch = values
      .slice(Math.floor((i * values.length) / points), Math.floor(((i + 1) * values.length) / points))
      .filter((value) => value !== null)
    return stretch.length === 0 ? null : stretch.reduce((sum, value) => sum + value, 0) / stretch.length
  })
}

/** Accuracies before and after, from what the evaluation stages said. */
const evaluationOf = (events: ReadonlyArray<JournalEvent>): RunEntry["evaluation"] => {
  const said = (stage: string) =>
    events.flatMap((event) => (event._tag === "stage_finished" && event.stage === stage ? event.rows : []))[0]
      ?.metrics ?? {}
  const [first, last] = [said("evaluate_first"), said("evaluate_last")]
  return Object.keys(first)
    .flatMap((name) => {
      const set = /^eval\/(.+)\/accuracy$/.exec(name)?.[1]
      return set === undefined ? [] : [{ set, first: first[name] ?? null, last: last[name] ?? null }]
    })
    .toSorted((a, b) => bySet(a.set, b.set))
}

const writtenAt = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const info = yield* Effect.option(fs.stat(file))
  return Option.getOrNull(Option.flatMap(info, ({ mtime }) => Option.map(mtime, (time) => time.getTime())))
})

/** Finds when a run was last written. An owner's folder changes with each file that it writes; its record is gone when it has left in order. */
const lastWritten = Effect.fn("ListRuns.lastWritten")(function* (root: string) {
  const path = yield* Path.Path
  const none = { number: 0, record: undefined }
  const { number, record } = yield* Effect.orElseSucceed(earlierOwner(root), () => none)
  return {
    changed: yield* writtenAt((yield* layout(root)).journal),
    owned: record === undefined ? null : yield* writtenAt(path.join(root, ownerFolder(number)))
  }
})

/** Sums a run up as a row of the table. */
const entry = Effect.fn("ListRuns.entry")(function* (root: string) {
  const directory = yield* layout(root)
  const { manifest } = yield* readJson(ResolvedFile, directory.resolved)
  const lineage = (yield* exists(directory.lineage)) ? yield* readJson(Lineage, directory.lineage) : undefined
  const { events } = yield* readJournal(directory.journal)
  const made: RunEntry = {
    run: directory.run,
    name: manifest.name,
    finished: events.some((event) => event._tag === "run_finished"),
    simulated: lineage?.trainer.device === "simulated",
    created: lineage?.created ?? null,
    ...(yield* lastWritten(root)),
    seed: manifest.seed,
    batcher: manifest.curriculum.batcher,
    steps: events.filter((event) => event._tag === "step_finished").length,
    reward: thinned(
      events.flatMap((event) => (event._tag === "step_generated" ? [event.metrics["reward"] ?? null] : [])),
      POINTS
    ),
    evaluation: evaluationOf(events)
  }
  return made
})

/** Lists the runs below a directory, the newest first. */
export const listRuns = Effect.fn("ListRuns.runs")(function* (runs: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = yield* fs.readDirectory(runs).pipe(Effect.orElseSucceed(() => []))
  const entries = yield* Effect.forEach(
    names.filter((name) => RUN_NAME.test(name)),
    (name) => Effect.option(entry(path.join(runs, name))),
    { concurrency: 4 }
  )
  const rows = entries.flatMap((one) => Option.toArray(one))
  const index: RunIndex = {
    format: 1,
    runs: rows.toSorted((a, b) => (b.created ?? "").localeCompare(a.created ?? "") || (a.run < b.run ? -1 : 1))
  }
  return index
})

/** Lists the files of a run that a viewer may read. */
export const listFiles = Effect.fn("ListRuns.files")(function* (runs: string, run: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const root = path.join(runs, run)
  const found: Array<{ readonly path: string; readonly bytes: number }> = []
  const walk: (folder: string) => Effect.Effect<void> = Effect.fnUntraced(function* (folder) {
    const names = yield* fs.readDirectory(path.join(root, folder)).pipe(Effect.orElseSucceed(() => []))
    for (const name of names.toSorted()) {
      const inside = folder === "" ? name : `${folder}/${name}`
      if (folder === "" && !RUN_FILE.test(name) && !["steps", "eval", "refresh"].includes(name)) continue
      const info = yield* Effect.option(fs.stat(path.join(root, inside)))
      if (Option.isNone(info)) continue
      if (info.value.type === "Directory") yield* walk(inside)
      else if (RUN_FILE.test(inside)) found.push({ path: inside, bytes: Number(info.value.size) })
    }
  })
  yield* walk("")
  const files: RunFiles = { format: 1, run, ...(yield* lastWritten(root)), files: found }
  return files
})
