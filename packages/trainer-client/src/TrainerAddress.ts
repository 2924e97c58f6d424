/** Where a running trainer service is reached, and with what token. */
import * as Context from "effect/Context"
import type * as Redacted from "effect/Redacted"

/** Names a running service: its origin, its bearer token, its process. */
export class TrainerAddress extends Context.Service<
  TrainerAddress,
  { readonly url: string; readonly token: Redacted.Redacted; readonly pid: number }
>()("@gradus/trainer-client/TrainerAddress") {}
