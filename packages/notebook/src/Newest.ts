/** Which directory a notebook opens: the one that it names, else that of the environment, else the newest one there is. */
import { RUN_NAME } from "@gradus/domain/RunIndex"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"

/** Nothing to open was named, and nothing lies where runs lie. */
export class NothingToOpen extends Schema.TaggedError<NothingToOpen>()("NothingToOpen", {
  what: Schema.String,
  variable: Schema.String,
  looked: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `there is no ${this.what} in ${this.looked.join(" or ")}: name its directory, or set ${this.variable}`
  }
}

export interface Kind {
  readonly what: string
  /** Names the directory in the environment. */
  readonly variable: string
  /** Folders, from where the notebook runs. */
  readonly folders: ReadonlyArray<string>
  readonly holds: (name: string) => boolean
  /** The file whose time is that of the directory. */
  readonly mark: string
}

/** Notebooks run in their own folder, beside that of the runs; from the root it is found too. */
export const aRun: Kind = {
  what: "run",
  variable: "GRADUS_RUN",
  folders: ["runs", "../runs"],
  holds: (name) => RUN_NAME.test(name),
  mark: "events.ndjson"
}

export const aSweep: Kind = {
  what: "sweep",
  variable: "GRADUS_SWEEP",
  folders: ["runs/sweeps", "../runs/sweeps"],
  holds: (name) => !name.startsWith("."),
  mark: "plan.json"
}

const newest = Effect.fnUntraced(function* ({ folders, holds, mark }: Kind) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const found: Array<{ readonly directory: string; readonly changed: number }> = []
  for (const folder of folders) {
    const names = yield* fs.readDirectory(folder).pipe(Effect.orElseSucceed(() => []))
    for (const name of names.filter(holds).toSorted()) {
      const directory = path.join(folder, name)
      const info = yield* Effect.option(fs.stat(path.join(directory, mark)))
      const changed = Option.flatMap(info, ({ mtime }) => mtime)
      if (Option.isSome(changed)) found.push({ directory, changed: changed.value.getTime() })
    }
  }
  return found.toSorted((a, b) => b.changed - a.changed)[0]?.directory
})

/** Finds the directory to open, as an absolute path. Fails with NothingToOpen. */
export const directoryOf = Effect.fn("notebook.directoryOf")(function* (kind: Kind, named: string | undefined) {
  const path = yield* Path.Path
  const environment = Option.getOrUndefined(yield* Config.option(Config.String(kind.variable)))
  const directory = named ?? environment ?? (yield* newest(kind))
  if (directory !== undefined) return path.resolve(directory)
  return yield* new NothingToOpen({ what: kind.what, variable: kind.variable, looked: kind.folders })
})
