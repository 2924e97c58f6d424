/** Whether the options of a profile without a manifest make sense, before anything is read or asked. */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import { UsageError } from "../UsageError.ts"
import type { ServedOptions } from "./ProfileServed.ts"

const REQUIRED = ["input", "model", "output"] as const
/** A sample's number is stored in 16 bits. */
const MOST_SAMPLES = 65_535

const ranges = (
  options: ServedOptions
): ReadonlyArray<readonly [flag: string, value: number, holds: boolean, needed: string]> => [
  ["samples", options.samples, options.samples >= 1 && options.samples <= MOST_SAMPLES, `from 1 to ${MOST_SAMPLES}`],
  ["temperature", options.temperature, options.temperature >= 0, "of at least 0"],
  ["max-tokens", options.maxTokens, options.maxTokens >= 1, "of at least 1"],
  ["concurrency", options.concurrency, options.concurrency >= 1, "of at least 1"],
  ["choices", options.choices ?? 1, (options.choices ?? 1) >= 1, "of at least 1"],
  ["shards", options.shards ?? 1, (options.shards ?? 1) >= 1 && (options.shards ?? 1) <= 10_000, "from 1 to 10000"],
  ["sample", options.sample ?? 1, (options.sample ?? 1) >= 1, "of at least 1"],
  ["seed", options.seed ?? 0, (options.seed ?? 0) >= 0, "of at least 0"],
  ["deadline", options.deadline, options.deadline > 0, "above 0"],
  ["attempts", options.attempts, options.attempts >= 1, "of at least 1"],
  ["patience", options.patience, options.patience >= 0, "of at least 0"],
  ["drop-at", options.dropAt, options.dropAt > 0, "above 0"],
  [
    "floor",
    options.floor ?? 0,
    (options.floor ?? 0) >= 0 && (options.floor ?? 0) < options.dropAt,
    "from 0 to below --drop-at"
  ],
  [
    "credible-level",
    options.credibleLevel,
    options.credibleLevel > 0.5 && options.credibleLevel < 1,
    "between 0.5 and 1"
  ],
  [
    "decide-early",
    options.decideEarly ?? 1,
    (options.decideEarly ?? 1) > 0.5 && (options.decideEarly ?? 1) <= 1,
    "above 0.5 and at most 1"
  ]
]

/** The key by its variable's name; a name that is not set is a mistake. */
export const apiKey = (name: string | undefined) =>
  name === undefined
    ? Effect.succeed(undefined)
    : Config.Redacted(name).pipe(
        Effect.mapError(() => new UsageError({ reason: `--api-key-env ${name}: no such variable is set` }))
      )

/** Fails with the first option that is missing or makes no sense. */
export const checkServedOptions = Effect.fnUntraced(function* (options: ServedOptions) {
  const wrong = (reason: string) => new UsageError({ reason })
  const missing = REQUIRED.filter((name) => options[name] === undefined)
  const flags = [...missing, ...(options.endpoint.length === 0 ? ["endpoint"] : [])].map((name) => `--${name}`)
  if (flags.length > 0)
    return yield* wrong(
      `without a manifest a profile needs ${flags.join(", ")}: gradus profile --help says what they are`
    )
  const address = options.endpoint.find((endpoint) => !URL.canParse(endpoint) || !/^https?:\/\//.test(endpoint))
  if (address !== undefined)
    return yield* wrong(`--endpoint ${address}: an address that begins with http:// or https:// is needed`)
  // said without the address: it is kept in the plan of the profile, and a query may hold a key
  if (options.endpoint.some((endpoint) => /[?#]/.test(endpoint)))
    return yield* wrong("--endpoint: an address has no query or fragment; a key is named by --api-key-env")
  if (new Set(options.endpoint).size < options.endpoint.length)
    return yield* wrong("--endpoint: the same one is there twice")
  const bad = ranges(options).find(([, , holds]) => !holds)
  if (bad !== undefined) return yield* wrong(`--${bad[0]} ${bad[1]}: a number ${bad[3]} is needed`)
  if (options.check !== undefined && options.kind === undefined)
    return yield* wrong(`--check ${options.check} needs --kind: what the column says is stated, never guessed`)
  const { input = "", model = "", output = "" } = options
  return { input, model, output }
})
