/** What a run left on disk, and how it differs from a run that nobody killed: what is lost, what is there twice, which bytes are others. */
import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { join, relative } from "node:path"

/** Files that say when and where something ran: never equal, and not what a run is about. */
const OF_THE_ATTEMPT =
  /^(timings\.ndjson|lineage\.json|events\.ndjson|lease\.sqlite.*|\.owner-\d+\/.*|report\.html|(figures|logs|trainer)\/.*)$/

const walk = (directory: string): ReadonlyArray<string> =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))

const sha256 = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex")

export interface History {
  /** Digest of every file that must be equal, by its path in the run directory. */
  readonly files: ReadonlyMap<string, string>
  /** Transitions in order, without the starts of attempts: the journal as an uninterrupted run has it. */
  readonly transitions: ReadonlyArray<string>
  /** Update numbers with the digests that were sent, in the order in which they were marked applied. */
  readonly applied: ReadonlyArray<string>
  readonly attempts: number
}

const read = (line: string): any => JSON.parse(line)

/** Reads the history of a run directory. */
export const historyOf = (directory: string): History => {
  const events = readFileSync(join(directory, "events.ndjson"), "utf8").trimEnd().split("\n").map(read)
  return {
    files: new Map(
      walk(directory)
        .filter((file) => !OF_THE_ATTEMPT.test(file))
        .toSorted()
        .map((file) => [file, sha256(join(directory, file))])
    ),
    transitions: events
      .filter((event) => event._tag !== "run_started")
      .map((event) =>
        [event._tag, event.stage, event.step, event.update, event.input_digest, event.weights]
          .filter((part) => part !== undefined)
          .join(" ")
      ),
    applied: events
      .filter((event) => event._tag === "update_applied")
      .map((event) => `${event.update} ${event.digest} ${event.version}`),
    attempts: events.filter((event) => event._tag === "run_started").length
  }
}

export interface Difference {
  /** Transitions or files of the whole run that are not here. */
  readonly lost: ReadonlyArray<string>
  /** Transitions or updates that are here more often than in the whole run. */
  readonly double: ReadonlyArray<string>
  /** Files with other bytes, and files that the whole run does not have. */
  readonly other: ReadonlyArray<string>
}

const counts = (items: ReadonlyArray<string>): ReadonlyMap<string, number> => {
  const count = new Map<string, number>()
  for (const item of items) count.set(item, (count.get(item) ?? 0) + 1)
  return count
}

const more = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): ReadonlyArray<string> => {
  const has = counts(b)
  return [...counts(a)].filter(([item, count]) => count > (has.get(item) ?? 0)).map(([item]) => item)
}

/** Compares a killed run with a whole one. Completions are in the files, so equal bytes mean that none is lost, invented or scored twice. */
export const compare = (whole: History, killed: History): Difference => ({
  lost: [
    ...more(whole.transitions, killed.transitions),
    ...more(whole.applied, killed.applied),
    ...[...whole.files.keys()].filter((file) => !killed.files.has(file))
  ],
  double: [...more(killed.transitions, whole.transitions), ...more(killed.applied, whole.applied)],
  other: [...killed.files].filter(([file, digest]) => whole.files.get(file) !== digest).map(([file]) => file)
})
