/** `gradus judge parse | guard`: the judge's parts alone, on files. */
import { guardRow, GuardedRow } from "@gradus/rewards/judge/GuardRows"
import { parseRow, ReplyRow } from "@gradus/rewards/judge/ParseRows"
import { VERDICT_RULES } from "@gradus/rewards/judge/Verdict"
import * as Effect from "effect/Effect"
import { print, printJson } from "../Output.ts"
import { decodeFile, writeRows } from "../RowFile.ts"
import { UsageError } from "../UsageError.ts"

interface Files {
  readonly input: string
  readonly output: string
  readonly json: boolean
}

const tell = ({ json, output }: Files, counts: Readonly<Record<string, number>>) =>
  json
    ? printJson({ ...counts, output })
    : print(
        `${Object.entries(counts)
          .map(([name, count]) => `${count} ${name}`)
          .join(", ")}: ${output}`
      )

/** Reads replies by a named verdict rule. */
export const parse = Effect.fn("gradus.judge.parse")(function* (options: Files & { readonly rule: string }) {
  const rule = VERDICT_RULES.find((name) => name === options.rule)
  if (rule === undefined)
    return yield* new UsageError({ reason: `--rule ${options.rule}: is none of ${VERDICT_RULES.join(", ")}` })
  const rows = yield* decodeFile(ReplyRow, options.input)
  const verdicts = rows.map((row) => parseRow(rule, row))
  yield* writeRows(options.output, verdicts)
  const unreadable = verdicts.filter(({ verdict }) => verdict === "unreadable").length
  yield* tell(options, { rows: rows.length, unreadable })
})

/** Says which completions a judge would be asked about. */
export const guard = Effect.fn("gradus.judge.guard")(function* (options: Files) {
  const rows = yield* decodeFile(GuardedRow, options.input)
  const guarded = rows.map((row) => guardRow(row))
  yield* writeRows(options.output, guarded)
  const passed = guarded.filter(({ pass }) => pass).length
  yield* tell(options, { rows: rows.length, passed, refused: rows.length - passed })
})
