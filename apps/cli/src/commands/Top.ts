/** `gradus top`: how a run stands, from its files alone. It takes no lease and writes nothing, so any number may watch. */
import { listRuns } from "@gradus/experiment/ListRuns"
import { type Standing, standing } from "@gradus/experiment/Standing"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Queue from "effect/Queue"
import * as Stdio from "effect/Stdio"
import * as Terminal from "effect/Terminal"
import { createLogUpdate } from "log-update"
import { print, printJson } from "../Output.ts"
import { frame, plainLine } from "../TopFrame.ts"
import { UsageError } from "../UsageError.ts"

export interface TopOptions {
  readonly directory: string | undefined
  readonly runs: string
  readonly once: boolean
  /** Seconds between two looks. */
  readonly every: number
  readonly json: boolean
}

/** What a frame is cut to where no terminal says how wide it is. */
const COLUMNS = 100
const widthOf = (columns: number): number => (columns === 0 ? COLUMNS : columns)

const rootOf = Effect.fnUntraced(function* ({ directory, runs }: TopOptions) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  if (directory !== undefined) {
    const root = path.resolve(directory)
    if (yield* fs.exists(path.join(root, "resolved.json"))) return root
    return yield* new UsageError({ reason: `${root} holds no run` })
  }
  const index = yield* listRuns(runs)
  const latest = index.runs.toSorted((a, b) => (b.changed ?? 0) - (a.changed ?? 0))[0]
  if (latest === undefined) return yield* new UsageError({ reason: `${path.resolve(runs)} holds no run` })
  return path.resolve(runs, latest.run)
})

/** Looks again and again until the run is finished. */
const follow = Effect.fnUntraced(function* <E, R>(
  root: string,
  every: number,
  show: (standing: Standing) => Effect.Effect<void, E, R>
) {
  for (;;) {
    const now = yield* standing(root)
    yield* show(now)
    if (now.finished) return
    yield* Effect.sleep(every * 1000)
  }
})

/** Waits for q; Ctrl-C, Ctrl-D and Escape end the keys. */
const leave = Effect.fnUntraced(function* () {
  const terminal = yield* Terminal.Terminal
  const keys = yield* terminal.readInput
  for (;;) if ((yield* Queue.take(keys)).key.name === "q") return
})

/** Frames on a terminal, each in the place of the last one; the last one stays. */
const onTerminal = Effect.fnUntraced(function* (root: string, every: number) {
  const terminal = yield* Terminal.Terminal
  const screen = yield* Effect.acquireRelease(
    Effect.sync(() => createLogUpdate(process.stdout)),
    (one) => Effect.sync(() => one.done())
  )
  const show = Effect.fnUntraced(function* (now: Standing) {
    const lines = frame(now, yield* Clock.currentTimeMillis, widthOf(yield* terminal.columns))
    yield* Effect.sync(() => screen([...lines, now.finished ? "" : "q leaves"].join("\n").trimEnd()))
  })
  yield* Effect.raceFirst(follow(root, every, show), Effect.ignore(leave()))
})

/** A line for each change. */
const inLines = Effect.fnUntraced(function* (root: string, every: number) {
  let before = ""
  yield* follow(root, every, (now) => {
    const line = plainLine(now)
    if (line === before) return Effect.void
    before = line
    return print(line)
  })
})

/** Shows how a run stands: once, or until it is finished or the reader leaves. */
export const top = Effect.fn("gradus.top")(function* (options: TopOptions) {
  if (!(options.every > 0)) return yield* new UsageError({ reason: "--every is above 0" })
  const root = yield* rootOf(options)
  const stdio = yield* Stdio.Stdio
  if (options.json) return yield* printJson(yield* standing(root))
  if (options.once) {
    const columns = widthOf(yield* (yield* Terminal.Terminal).columns)
    const lines = frame(yield* standing(root), yield* Clock.currentTimeMillis, columns)
    return yield* print(lines.join("\n"))
  }
  return yield* (yield* stdio.stdoutIsTerminal)
    ? Effect.scoped(onTerminal(root, options.every))
    : inLines(root, options.every)
})
