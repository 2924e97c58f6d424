/** The ledger of a judge's money: one sum an account, shared by all who spend from one budget. A port; packages/store implements it. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

/** Nobody can say what was spent: the ledger's store does not answer. No call may be paid for then. */
export class JudgeLedgerFailed extends Schema.TaggedError<JudgeLedgerFailed>()("JudgeLedgerFailed", {
  reason: Schema.String
}) {
  override get message() {
    return `the judge's ledger cannot be read: ${this.reason}`
  }
}

/** The memory below, or a store that processes share: one atomic addition. */
export class JudgeLedger extends Context.Service<
  JudgeLedger,
  {
    /** Adds money to an account's sum (negative: gives back) and returns the sum after it. */
    readonly add: (account: string, amount: number) => Effect.Effect<number, JudgeLedgerFailed>
  }
>()("@gradus/domain/JudgeLedger") {
  static readonly layerMemory: Layer.Layer<JudgeLedger> = Layer.sync(JudgeLedger, () => {
    const sums = new Map<string, number>()
    return {
      add: (account, amount) =>
        Effect.sync(() => {
          const sum = (sums.get(account) ?? 0) + amount
          sums.set(account, sum)
          return sum
        })
    }
  })
}
