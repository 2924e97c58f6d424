/** `gradus filter`. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { count, json, loaded, many, plain, text, yes } from "./Flags.ts"
import { columns, filterFlags } from "./PassRates.ts"

export const filter = Command.make(
  "filter",
  {
    input: text("input", "JSONL or Parquet with pass rates"),
    passed: text("passed", "column with the pass rates"),
    ...columns,
    ...filterFlags,
    output: Flag.optional(text("output", "file for the rows that are kept, as they were read: .parquet or JSONL")),
    drops: Flag.optional(text("drops", "file for what is dropped and why: .parquet or JSONL")),
    control: Flag.optional(text("control", "file for as many rows drawn without looking at their rates")),
    controlByDomain: yes("control-by-domain", "draw the control in the domains' proportions of what is kept"),
    seed: Flag.optional(count("seed", "of the control (default 0)")),
    against: many("against", "file with evaluation questions that must not be trained on; may be repeated"),
    duplicates: yes("duplicates", "look for questions that are there twice"),
    question: Flag.optional(text("question", "column with the question's text, in all files (default question)")),
    ngram: Flag.optional(count("ngram", "words in a row that make two questions near-duplicates (default 13)")),
    json
  },
  (options) =>
    loaded(
      () => import("../commands/Filter.ts"),
      (command) => {
        const flags = plain(options)
        return command.filter({ ...flags, dropAt: flags.dropAt ?? 0.75 })
      }
    )
).pipe(Command.withDescription("Drop the questions of a file that are too easy, and say why"))
