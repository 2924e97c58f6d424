/** The ledger of a judge's money: one sum a key, shared by all who spend from one budget. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** A port: the memory below, or a store that processes share (one atomic addition, as Redis INCRBYFLOAT). */
export class JudgeLedger extends Context.Service<
  JudgeLedger,
  {
    /** Adds money to a key's sum (negative: gives back) and returns the sum after it. */
    readonly add: (key: string, amount: number) => Effect.Effect<number>
  }
>()("@gradus/rewards/JudgeLedger") {
  static readonly layerMemory: Layer.Layer<JudgeLedger> = Layer.sync(JudgeLedger, () => {
    const sums = new Map<string, number>()
    return {
      add: (key, amount) =>
        Effect.sync(() => {
          const sum = (sums.get(key) ?? 0) + amount
          sums.set(key, sum)
          return sum
        })
    }
  })
}
