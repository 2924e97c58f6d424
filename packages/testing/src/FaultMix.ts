/** A seeded mix of everything that goes wrong between a client and a server of completions: which requests are spoilt, and how, depends on seed and place alone. */
import * as Seed from "@gradus/domain/Seed"
import { NAN, type Proxied, type ProxyFault } from "./FaultProxy.ts"

interface ChoiceJson {
  readonly index: number
  readonly logprobs: { readonly token_logprobs: ReadonlyArray<unknown> } | null
}

const onChoices =
  (change: (choices: ReadonlyArray<ChoiceJson>) => ReadonlyArray<ChoiceJson>) =>
  (answer: { readonly choices: ReadonlyArray<ChoiceJson> }) => ({ ...answer, choices: change(answer.choices) })

/** Times that a mix acts with, in milliseconds. `late` must be longer than the client's deadline, and `slow` shorter. */
export interface MixTimes {
  readonly late: number
  readonly slow: number
}

/** Names every way in which a mix spoils an answer of `/v1/completions`. */
export const waysOf = ({ late, slow }: MixTimes): Readonly<Record<string, ProxyFault>> => ({
  "connection refused": { kind: "refused", ms: 20 },
  "request lost": { kind: "lost_request" },
  "answer lost": { kind: "lost_answer" },
  "reset in the body": { kind: "reset_mid_body" },
  slow: { kind: "slow", ms: slow },
  hang: { kind: "hang" },
  "late answer after the retry": { kind: "late", ms: late },
  "request delivered twice": { kind: "delivered_twice" },
  "answer written twice": { kind: "answered_twice" },
  "429": { kind: "status", status: 429 },
  "429 with Retry-After": { kind: "status", status: 429, retryAfter: 1 },
  "500": { kind: "status", status: 500 },
  "502": { kind: "status", status: 502 },
  "truncated JSON": { kind: "truncated_json" },
  "wrong JSON": { kind: "json", change: () => ({ error: { message: "CUDA out of memory" } }) },
  "no choices": { kind: "json", change: onChoices(() => []) },
  "fewer choices": { kind: "json", change: onChoices((choices) => choices.slice(0, -1)) },
  "more choices": {
    kind: "json",
    change: onChoices((choices) => [
      ...choices,
      ...choices.slice(-1).map((choice) => ({ ...choice, index: choice.index + 1 }))
    ])
  },
  "NaN log-probabilities": {
    kind: "json",
    change: onChoices((choices) =>
      choices.map((choice) =>
        choice.logprobs === null
          ? choice
          : { ...choice, logprobs: { token_logprobs: choice.logprobs.token_logprobs.map(() => NAN) } }
      )
    )
  },
  "wrong model": { kind: "json", change: (answer) => ({ ...answer, model: "another" }) }
})

export interface Mix {
  readonly fault: (request: Proxied) => ProxyFault | undefined
  /** How often each way was chosen. */
  readonly chosen: () => Readonly<Record<string, number>>
}

/** Spoils a share of the requests that match, each way as likely as the others. */
export const mix = (
  ways: Readonly<Record<string, ProxyFault>>,
  share: number,
  seed: Seed.Seed,
  matches: (request: Proxied) => boolean = () => true
): Mix => {
  const names = Object.keys(ways)
  const chosen: Record<string, number> = {}
  return {
    fault: (request) => {
      const stream = Seed.stream(Seed.child(seed, request.index))
      if (!matches(request) || stream.next() >= share) return undefined
      const name = names[stream.below(names.length)] ?? ""
      chosen[name] = (chosen[name] ?? 0) + 1
      return ways[name]
    },
    chosen: () => ({ ...chosen })
  }
}
