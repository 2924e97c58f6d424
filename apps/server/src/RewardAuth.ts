/** The server's token: one bearer token for all doors, compared in constant time. */
import * as Effect from "effect/Effect"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { createHash, timingSafeEqual } from "node:crypto"
import { Unauthorized, UnauthorizedProblem } from "./RewardProblem.ts"

const digest = (text: string): Buffer => createHash("sha256").update(text).digest()

export class RewardAuth extends HttpApiMiddleware.Service<RewardAuth>()("@gradus/server/RewardAuth", {
  requiredForClient: true,
  security: { bearer: HttpApiSecurity.bearer },
  error: UnauthorizedProblem
}) {
  /** Lets those in who know the token; null lets everybody in. */
  static readonly layer = (token: Redacted.Redacted | null): Layer.Layer<RewardAuth> => {
    const known = token === null ? null : digest(Redacted.value(token))
    return Layer.succeed(
      RewardAuth,
      RewardAuth.of({
        bearer: (handled, { credential }) =>
          known === null || timingSafeEqual(digest(Redacted.value(credential)), known)
            ? handled
            : Effect.fail(Unauthorized.problem)
      })
    )
  }
}
