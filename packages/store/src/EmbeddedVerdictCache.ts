/** The verdict cache on one machine: what a judge said once is known to every run beside it. */
import { Verdict } from "@gradus/domain/Score"
import { VerdictCache } from "@gradus/domain/VerdictCache"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { JudgeDatabase } from "./EmbeddedJudgeDatabase.ts"

const Stored = Schema.fromJsonString(Verdict)
const decode = Schema.decodeUnknownOption(Stored)
const encode = Schema.encodeSync(Stored)

/** Keeps verdicts in the judges' file. What cannot be read, or not be written, costs another judgement and nothing else. */
export const layer: Layer.Layer<VerdictCache, never, JudgeDatabase> = Layer.effect(
  VerdictCache,
  Effect.map(JudgeDatabase, ({ sql }) => {
    const read = sql.prepare("SELECT verdict FROM verdicts WHERE key = ?")
    const write = sql.prepare(
      "INSERT INTO verdicts VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET verdict = excluded.verdict"
    )
    return {
      get: (key) =>
        Effect.try(() => read.get(key)).pipe(
          Effect.map((row) => (row === undefined ? undefined : Option.getOrUndefined(decode(row["verdict"])))),
          Effect.orElseSucceed(() => undefined)
        ),
      put: (key, verdict) => Effect.ignore(Effect.try(() => write.run(key, encode(verdict))))
    }
  })
)
