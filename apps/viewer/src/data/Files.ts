/** Reads files of runs over HTTP, from the viewer's server or from a static folder: the addresses are the same. Everything read goes through a schema. */
import { RunFiles, RunIndex } from "@gradus/domain/RunIndex"
import { SweepIndex, SweepView } from "@gradus/domain/SweepIndex"
import { type FlatSchema, decodeRows } from "@gradus/datasets/Parquet"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type AsyncBuffer, asyncBufferFromUrl, cachedAsyncBuffer } from "hyparquet"

/** A file could not be had. */
export class FileMissing extends Error {
  constructor(path: string, reason: string) {
    super(`${path} cannot be read: ${reason}`)
  }
}

const addressOf = (path: string): string => new URL(`data/${path}`, document.baseURI).href

const get = async (path: string): Promise<Response> => {
  // no-cache asks whether the file has changed: a run that goes on writes to it
  const response = await fetch(addressOf(path), { cache: "no-cache" })
  if (!response.ok) throw new FileMissing(path, `status ${response.status}`)
  return response
}

type Plain = Schema.Top & { readonly DecodingServices: never }

/** Reads a JSON file. */
export const json = async <S extends Plain>(schema: S, path: string): Promise<S["Type"]> =>
  Schema.decodeUnknownPromise(Schema.fromJsonString(schema))(await (await get(path)).text())

/** Reads a file of JSON lines; a last line that is not whole yet is left out. */
export const lines = async <S extends Plain>(schema: S, path: string): Promise<ReadonlyArray<S["Type"]>> => {
  const text = await (await get(path)).text()
  const decode = Schema.decodeUnknownPromise(Schema.fromJsonString(schema))
  const whole = text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .slice(0, -1)
  return Promise.all(whole.map((line) => decode(line)))
}

export const bytes = async (path: string): Promise<Uint8Array> => new Uint8Array(await (await get(path)).arrayBuffer())

/** Reads a whole file by the codec that wrote it. */
export const read = async <A, E>(
  path: string,
  decode: (bytes: Uint8Array, name: string) => Effect.Effect<A, E>
): Promise<A> => Effect.runPromise(decode(await bytes(path), path))

/** Reads a whole table. */
export const table = <Row>(schema: FlatSchema<Row>, path: string): Promise<ReadonlyArray<Row>> =>
  read(path, (whole, name) => decodeRows(schema, whole, name))

/** Below so many bytes a whole file is one request; above, columns and row groups are read by range. */
const WHOLE = 1 << 20

/** Opens a table of which columns or rows are read on demand. */
export const openTable = async (path: string, size: number): Promise<AsyncBuffer> => {
  if (size > WHOLE) return cachedAsyncBuffer(await asyncBufferFromUrl({ url: addressOf(path), byteLength: size }))
  const { buffer } = await bytes(path)
  const whole = buffer as ArrayBuffer
  return { byteLength: whole.byteLength, slice: (start, end) => whole.slice(start, end) }
}

/** Lists the runs. */
export const runIndex = (): Promise<RunIndex> => json(RunIndex, "index.json")

/** Lists the sweeps. */
export const sweepIndex = (): Promise<SweepIndex> => json(SweepIndex, "sweeps.json")

/** Reads a sweep: its cells, and the summaries of the finished ones. */
export const sweepView = (sweep: string): Promise<SweepView> =>
  json(SweepView, `sweeps/${encodeURIComponent(sweep)}.json`)

export interface ListedFiles {
  /** Sizes by path. */
  readonly files: ReadonlyMap<string, number>
  readonly written: Pick<RunFiles, "changed" | "owned">
}

/** Lists a run's files, and says when they were last written. */
export const runFiles = async (run: string): Promise<ListedFiles> => {
  const { changed, files, owned } = await json(RunFiles, `runs/${run}/index.json`)
  return { files: new Map(files.map(({ bytes: size, path }) => [path, size])), written: { changed, owned } }
}
