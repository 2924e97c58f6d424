/** Starts the real service, prints its process id and stays: for the test that kills this process. */
import * as Effect from "effect/Effect"
import { TrainerAddress } from "../src/TrainerAddress.ts"
import * as RealTrainer from "./realTrainer.ts"

await Effect.runPromise(
  Effect.gen(function* () {
    const { pid } = yield* TrainerAddress
    process.stdout.write(`${pid}\n`)
    return yield* Effect.never
  }).pipe(Effect.provide(RealTrainer.started), Effect.scoped)
)
