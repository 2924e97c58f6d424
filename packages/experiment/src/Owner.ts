/**
 * Who writes a run directory. Each owner has a folder `.owner-<fencing number>` there; all that it writes is written in that folder first and renamed from
 * there, and taking a run over begins with removing the folders of earlier owners. So an owner that slept past its lease and wakes in the middle of a
 * write finds no folder to rename from: the file system itself refuses it, whatever the moment.
 */
import {
  type EarlierOwner,
  OwnerRecord,
  type RunHold,
  RunLease,
  RunLeaseFailed,
  RunLeaseLost,
  RunOwned
} from "@gradus/domain/RunLease"
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
  /** Succeeds while the lease is held and the owner's folder is there: asked before each write, and after each line of the journal. */
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

/**
 * Finds what earlier owners left. The record is the highest that there is: a higher folder without one is of somebody who left in order, and then there is no
 * lower folder, or of somebody who ended before anybody was shut out.
 */
export const earlierOwner = Effect.fn("Owner.earlier")(function* (root: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = (yield* fs.exists(root)) ? yield* fs.readDirectory(root) : []
  const numbers = names.flatMap((name) => Number(FOLDER.exec(name)?.[1] ?? [])).toSorted((a, b) => b - a)
  for (const number of numbers) {
    const file = path.join(root, ownerFolder(number), RECORD)
    if (!(yield* fs.exists(file))) continue
    const record = Option.getOrUndefined(decode(yield* fs.readFileString(file)))
    return { number: numbers[0] ?? 0, record } satisfies EarlierOwner
  }
  return { number: numbers[0] ?? 0, record: undefined } satisfies EarlierOwner
})

/**
 * Makes the folder of one's own. Two stores may give the same number, since each counts from what lies in the directory: then who makes the folder has it,
 * and the file system says who that is.
 */
const makeOwn = Effect.fnUntraced(function* (root: string, folder: string) {
  const fs = yield* FileSystem.FileSystem
  yield* fs.makeDirectory(root, { recursive: true })
  yield* fs
    .makeDirectory(folder)
    .pipe(
      Effect.mapError((cause) =>
        cause.reason._tag === "AlreadyExists"
          ? new RunOwned({ directory: root, owner: "one that another store gave the same number" })
          : cause
      )
    )
})

/**
 * Removes the folders of earlier owners: from here on none of them can write. Called after one's own folder was made: of two owners, either the later one
 * sees the earlier one's folder and removes it, or the earlier one sees the later one's and stops. `seen` is the number from which the lease was taken: who
 * came between that and us was not asked for, and may live by another store.
 */
const shutOut = Effect.fn("Owner.shutOut")(function* (root: string, number: number, seen: number) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = yield* fs.readDirectory(root)
  const others = names.flatMap((name) => {
    const found = Number(FOLDER.exec(name)?.[1] ?? number)
    return found === number ? [] : [{ name, found }]
  })
  if (others.some(({ found }) => found > number)) return yield* new RunLeaseLost({ directory: root, number })
  if (others.some(({ found }) => found > seen))
    return yield* new RunOwned({ directory: root, owner: "one that came at the same moment" })
  for (const { name } of others) yield* fs.remove(path.join(root, name), { recursive: true, force: true })
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

/** Makes one's own folder and shuts everybody else out; who is refused leaves no folder. */
const takePlace = Effect.fnUntraced(function* (root: string, folder: string, hold: RunHold, seen: number) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  yield* makeOwn(root, folder)
  yield* fs.writeFileString(path.join(folder, RECORD), JSON.stringify(hold.record)).pipe(
    Effect.andThen(shutOut(root, hold.record.number, seen)),
    Effect.onError(() => Effect.ignore(fs.remove(folder, { recursive: true, force: true })))
  )
})

/** Takes a run directory until the scope closes: the lease, then the folder, then everybody else is shut out. */
export const own = Effect.fn("Owner.own")(function* (root: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const failed = Effect.mapError((cause: PlatformError | RunLeaseLost | RunOwned) =>
    cause._tag === "PlatformError" ? new RunLeaseFailed({ directory: root, reason: cause.message }) : cause
  )
  const earlier = yield* failed(earlierOwner(root))
  const hold = yield* (yield* RunLease).acquire(root, earlier)
  const { number } = hold.record
  const folder = path.join(root, ownerFolder(number))
  yield* failed(takePlace(root, folder, hold, earlier.number))
  // who leaves in order leaves no record: any other owner may come, through whatever store
  yield* Effect.addFinalizer(() => Effect.ignore(fs.remove(path.join(folder, RECORD))))
  // whatever a store says: who has no folder was replaced. A disk that cannot say it fails the write itself
  const isThere = Effect.orElseSucceed(fs.exists(folder), () => true)
  const verify = Effect.andThen(
    hold.verify,
    Effect.flatMap(isThere, (there) => (there ? Effect.void : new RunLeaseLost({ directory: root, number })))
  )
  const owner: Owner = { root, aside: places(path, folder), verify }
  return { owner, record: hold.record, lost: hold.lost }
})

/** Works in a directory as its owner: what is lost stops at once, also in the middle of a long generation. */
export const asOwner = <A, E, R>(root: string, part: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { lost, owner } = yield* own(root)
    return yield* Effect.raceFirst(Effect.provideService(part, Owner, owner), lost)
  }).pipe(Effect.scoped)
