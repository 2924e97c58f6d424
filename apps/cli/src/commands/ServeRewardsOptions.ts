/** `gradus serve rewards`: its options, and what they mean together. */
import type { RewardServerOptions } from "@gradus/server/RewardServer"
import { isLoopback } from "@gradus/server/RewardServer"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { UsageError } from "../UsageError.ts"

export interface ServeRewardsOptions {
  readonly manifest: string | undefined
  readonly set: ReadonlyArray<string>
  readonly accuracy: string | undefined
  readonly answer: string | undefined
  readonly format: string | undefined
  readonly port: number
  readonly host: string
  readonly tokenEnv: string | undefined
  readonly thinking: "on" | "off"
  readonly unscored: string
  readonly batchLimit: number | undefined
  readonly bodyLimit: number | undefined
  readonly grace: number | undefined
}

/** Says what is wrong with how the rewards are named: by a manifest and its overrides, or by rules, never by both. */
const misnamed = ({ manifest, set, ...rules }: ServeRewardsOptions): string | undefined => {
  if (manifest === undefined)
    return set.length === 0 ? undefined : `--set ${set[0]}: there is no manifest to override a value of`
  const given = (["accuracy", "answer", "format"] as const).find((name) => rules[name] !== undefined)
  return given === undefined
    ? undefined
    : `--${given} ${rules[given]}: ${manifest} says how completions are scored; override it with -s rewards.${given}=…`
}

/** Says what is wrong with how the server is to listen. */
const misplaced = ({ batchLimit, bodyLimit, grace, host, tokenEnv }: ServeRewardsOptions): string | undefined => {
  if (!isLoopback(host) && tokenEnv === undefined)
    return `--host ${host}: others reach it, and a token that they are to know needs --token-env`
  if (batchLimit !== undefined && batchLimit < 1) return `--batch-limit ${batchLimit}: at least 1 is needed`
  if (bodyLimit !== undefined && bodyLimit < 1) return `--body-limit ${bodyLimit}: at least 1 is needed`
  return grace !== undefined && grace < 0 ? `--grace ${grace}: a number of at least 0 is needed` : undefined
}

const unscoredOf = (text: string): number | "refuse" | undefined => {
  if (text === "refuse") return text
  const value = text.trim() === "" ? Number.NaN : Number(text)
  return Number.isFinite(value) ? value : undefined
}

/** The token by its variable's name; an empty one would let everybody in who sends none. */
const tokenOf = Effect.fnUntraced(function* (name: string) {
  const token = yield* Config.Redacted(name)
  if (Redacted.value(token).trim() === "") return yield* new UsageError({ reason: `--token-env ${name}: it is empty` })
  return token
})

/** Reads the options of the server. Fails with the first that makes no sense, or whose variable is not set. */
export const serverOptions = Effect.fnUntraced(function* (options: ServeRewardsOptions) {
  const wrong = misnamed(options) ?? misplaced(options)
  if (wrong !== undefined) return yield* new UsageError({ reason: wrong })
  const unscored = unscoredOf(options.unscored)
  if (unscored === undefined)
    return yield* new UsageError({ reason: `--unscored ${options.unscored}: refuse or a number is needed` })
  const { batchLimit, bodyLimit, grace, host, port, thinking, tokenEnv } = options
  return {
    port,
    host,
    thinking,
    unscored,
    ...(tokenEnv === undefined ? {} : { token: yield* tokenOf(tokenEnv) }),
    ...(batchLimit === undefined ? {} : { batchLimit }),
    ...(bodyLimit === undefined ? {} : { bodyLimit }),
    ...(grace === undefined ? {} : { grace: Duration.seconds(grace) })
  } satisfies Omit<RewardServerOptions, "rewards">
})
