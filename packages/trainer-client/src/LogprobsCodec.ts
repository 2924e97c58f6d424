/** Requests and answers of `POST /v1/runs/{run}/logprobs`: Arrow in, Arrow out. */
import * as ArrowColumn from "./ArrowColumn.ts"
import * as ArrowStream from "./ArrowStream.ts"

/** One sequence whose log-probabilities are wanted. */
export interface LogprobRow {
  readonly sample_id: string
  readonly token_ids: ReadonlyArray<number>
  /** 1 = this token's log-probability is wanted; aligned to `token_ids`. */
  readonly loss_mask: ReadonlyArray<0 | 1>
  /** Logits are divided by it; 1 when absent. All rows have it or none. */
  readonly temperature?: number
}

/** Natural log-probability and entropy (nats) by token, aligned to `token_ids`, 0 where the mask is 0. */
export interface TokenLogprobs {
  readonly sample_id: string
  readonly logprob: ReadonlyArray<number>
  readonly entropy: ReadonlyArray<number>
}

/** Encodes a request. Throws a TypeError when only some rows have a temperature: a defect of the caller. */
export const encodeLogprobsRequest = (rows: ReadonlyArray<LogprobRow>): Uint8Array => {
  const temperatures = rows.flatMap((row) => (row.temperature === undefined ? [] : [row.temperature]))
  if (temperatures.length !== 0 && temperatures.length !== rows.length)
    throw new TypeError("some rows have a temperature and some have not")
  const columns = [
    [
      "sample_id",
      ArrowColumn.make(
        "utf8",
        rows.map((row) => row.sample_id)
      )
    ],
    [
      "token_ids",
      ArrowColumn.make(
        "list<int32>",
        rows.map((row) => row.token_ids)
      )
    ],
    [
      "loss_mask",
      ArrowColumn.make(
        "list<uint8>",
        rows.map((row) => row.loss_mask)
      )
    ]
  ] as const
  const last = temperatures.length === 0 ? [] : [["temperature", ArrowColumn.make("float32", temperatures)] as const]
  return ArrowStream.write([...columns, ...last], new Map())
}

const ANSWER = { sample_id: "utf8", logprob: "list<float32>", entropy: "list<float32>" } as const

/** Decodes an answer and checks it against its request: same rows in the same order, same lengths. Throws a TypeError that says what differs. */
export const decodeLogprobs = (bytes: Uint8Array, rows: ReadonlyArray<LogprobRow>): ReadonlyArray<TokenLogprobs> => {
  const { columns, length } = ArrowStream.read(bytes, ANSWER)
  const [ids, logprobs, entropies] = ["sample_id", "logprob", "entropy"].map((name) => columns.get(name))
  if (ids === undefined || logprobs === undefined || entropies === undefined)
    throw new TypeError("the answer lacks one of sample_id, logprob and entropy")
  if (length !== rows.length) throw new TypeError(`${rows.length} rows were sent and ${length} came back`)
  return rows.map((row, i) => {
    const logprob = logprobs[i] as ReadonlyArray<number>
    const entropy = entropies[i] as ReadonlyArray<number>
    if (ids[i] !== row.sample_id) throw new TypeError(`row ${i} is ${String(ids[i])}, not ${row.sample_id}`)
    if (logprob.length !== row.token_ids.length || entropy.length !== row.token_ids.length)
      throw new TypeError(`row ${i} is not aligned to its token_ids`)
    return { sample_id: row.sample_id, logprob, entropy }
  })
}
