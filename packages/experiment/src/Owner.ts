/**
 * Who writes a run directory. Each owner has a folder `.owner-<fencing number>` there; all that it writes is written in that folder first and renamed from
 * there, and taking a run over begins with removing the folders of earlier owners. So an owner that slept past its lease and wakes in the middle of a
 * write finds no folder to rename from: the file system itself refuses it, whatever the moment.
 */
import { type EarlierOwner, OwnerRecord, RunLease, RunLeaseFailed, RunLeaseLost } from "@gradus/domain/RunLease"
import type { StoreError } from "@gradus/domain/StoreError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"

/** The lease is gone, or nobody can say whether it is. */
export type OwnerLost = RunLeaseLost | StoreError

export interface Owner {
  /** The run directory that is owned. */
  readonly root: string
  /** Gives a place in the owner's folder for a file that is written, until the scope closes. */
  readonly aside: (name: string) => Effect.Effect<string, never, Scope.Scope>
  /** Succeeds while the lease is held: asked before each write, and after each line of the journal. */
  readonly verify: Effect.Effect<void, OwnerLost>
}

/** The owner on whose behalf files are written; absent where nobody else can be there (single files, tests). */
export const Owner = Context.Reference<Owner | undefined>("@gradus/experiment/Owner", { defaultValue: () => undefined })

/** Fails when this process no longer owns what it writes. */
export const verify: Effect.Effect<void, OwnerLost> = Effect.flatMap(Owner, (owner) => owner?.verify ?? Effect.void)

const FOLDER = /^\.owner-(\d{1,15})$/
const RECORD = "owner.json"

/** Names the folder of the owner with a fencing number. */
export const ownerFolder = (number: number): string => `.owner-${number}`

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(OwnerRecord))

/** Finds what earlier owners left. */
export const earlierOwner = Effect.fn("Owner.earlier")(function* (root: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = (yield* fs.exists(root)) ? yield* fs.readDirectory(root) : []
  const numbers = names.flatMap((name) => Number(FOLDER.exec(name)?.[1] ?? []))
  const number = Math.max(0, ...numbers)
  const file = path.join(root, ownerFolder(number), RECORD)
  const record = number > 0 && (yield* fs.exists(file)) ? decode(yield* fs.readFileString(file)) : Option.none()
  return { number, record: Option.getOrUndefined(record) } satisfies EarlierOwner
})

/**
 * Removes the folders of earlier owners: from here on none of them can write. Called after one's own folder was made: of two owners, either the later one
 * sees the earlier one's folder and removes it, or the earlier one sees the later one's and stops.
 */
const shutOut = Effect.fn("Owner.shutOut")(function* (root: string, number: number) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  for (const name of yield* fs.readDirectory(root)) {
    const found = Number(FOLDER.exec(name)?.[1] ?? number)
    if (found > number) return yield* new RunLeaseLost({ directory: root, number })
    if (found < number) yield* fs.remove(path.join(root, name), { recursive: true, force: true })
  }
})

/** Hands out places in a folder: `.name.tmp`, numbered where two files of one name are written at the same time. */
const places = (path: Path.Path, folder: string): Owner["aside"] => {
  const taken = new Set<string>()
  const free = (name: string, n: number): string => {
    const place = path.join(folder, `.${name}${n === 0 ? "" : `.${n}`}.tmp`)
    return taken.has(place) ? free(name, n + 1) : place
  }
  return (name) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const place = free(name, 0)
        taken.add(place)
        return place
      }),
      (place) => Effect.sync(() => taken.delete(place))
    )
}

/** Takes a run directory until the scope closes: the lease, then the folder, then everybody else is shut out. */
export const own = Effect.fn("Owner.own")(function* (root: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const failed = Effect.mapError((cause: PlatformError | RunLeaseLost) =>
    cause._tag === "RunLeaseLost" ? cause : new RunLeaseFailed({ directory: root, reason: cause.message })
  )
  const hold = yield* (yield* RunLease).acquire(root, yield* failed(earlierOwner(root)))
  const folder = path.join(root, ownerFolder(hold.record.number))
  yield* failed(
    Effect.gen(function* () {
      yield* fs.makeDirectory(folder, { recursive: true })
      yield* fs.writeFileString(path.join(folder, RECORD), JSON.stringify(hold.record))
      yield* shutOut(root, hold.record.number)
    })
  )
  // who leaves in order leaves no record: any other owner may come, through whatever store
  yield* Effect.addFinalizer(() => Effect.ignore(fs.remove(path.join(folder, RECORD))))
  const owner: Owner = { root, aside: places(path, folder), verify: hold.verify }
  return { owner, record: hold.record, lost: hold.lost }
})

/** Works in a directory as its owner: what is lost stops at once, also in the middle of a long generation. */
export const asOwner = <A, E, R>(root: string, part: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { lost, owner } = yield* own(root)
    return yield* Effect.raceFirst(Effect.provideService(part, Owner, owner), lost)
  }).pipe(Effect.scoped)
