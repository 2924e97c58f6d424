/** Who may work on what: the run lease, asked about directories that are no runs too. */
import { own } from "@gradus/experiment/Owner"
import * as Effect from "effect/Effect"

/** Takes a directory until the scope closes or the process dies. Says whether it was free. */
export const claim = Effect.fn("Sweep.claim")(function* (directory: string) {
  return yield* own(directory).pipe(
    Effect.as(true),
    Effect.catchTag("RunOwned", () => Effect.succeed(false))
  )
})
