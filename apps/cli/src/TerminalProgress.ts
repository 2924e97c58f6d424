/** Progress on standard error: one line that is rewritten on a terminal, plain lines (at most one in two seconds a stage) elsewhere. */
import { Progress, type ProgressEvent } from "@gradus/experiment/Progress"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { fitting, progressLine, watch, type Watched } from "./ProgressLine.ts"

const BETWEEN_LINES_MILLIS = 2000

/** Shows progress. Logs and errors that come between go to lines of their own. */
export const layer = Layer.effect(
  Progress,
  Effect.gen(function* () {
    const stdio = yield* Stdio.Stdio
    const terminal = yield* stdio.stderrIsTerminal
    const state = yield* Ref.make<{ readonly watched: Watched; readonly shown: number } | undefined>(undefined)
    const write = (text: string) => Effect.ignore(Stream.run(Stream.make(text), stdio.stderr({ endOnDone: false })))
    return Effect.fnUntraced(function* (event: ProgressEvent) {
      const now = yield* Clock.currentTimeMillis
      const before = yield* Ref.get(state)
      const watched = watch(before?.watched, event, now)
      const line = progressLine(watched, event, now)
      const last = event.done >= event.total
      const fresh = before?.watched.stage !== event.stage
      if (terminal) yield* write(`\r\u001b[K${fitting(line, process.stderr.columns)}${last ? "\n" : ""}`)
      else if (last || fresh || now - before.shown >= BETWEEN_LINES_MILLIS) yield* write(`${line}\n`)
      else return
      yield* Ref.set(state, { watched, shown: now })
    })
  })
)
