/** The judges' money on one machine: one row an account, added to by one statement, so that no two processes can spend the same coin. */
import { JudgeLedger, JudgeLedgerFailed } from "@gradus/domain/JudgeLedger"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { JudgeDatabase } from "./EmbeddedJudgeDatabase.ts"

/** Keeps sums in the judges' file. A process that is killed in a call leaves that call's estimate on the account. */
export const layer: Layer.Layer<JudgeLedger, never, JudgeDatabase> = Layer.effect(
  JudgeLedger,
  Effect.map(JudgeDatabase, ({ sql }) => {
    const add = sql.prepare(
      "INSERT INTO sums VALUES (?, ?) ON CONFLICT (account) DO UPDATE SET sum = sum + excluded.sum RETURNING sum"
    )
    return {
      add: (account, amount) =>
        Effect.try({
          try: () => Number(add.get(account, amount)?.["sum"]),
          catch: (cause) => new JudgeLedgerFailed({ reason: cause instanceof Error ? cause.message : String(cause) })
        })
    }
  })
)
