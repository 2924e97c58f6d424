/** Pass rates that a file brings, as a profile: nothing is measured, and every question has its row. */
import { bounds } from "@gradus/curriculum/Estimate"
import { passRates } from "@gradus/datasets/PassRates"
import { readRows } from "@gradus/datasets/service/Rows"
import { ofBytes } from "@gradus/domain/Digest"
import type { ProfileSpec, RatesSpec } from "@gradus/domain/manifest/Curriculum"
import type { ProfileRow, RatedQuestion } from "@gradus/domain/Profile"
import type { Question } from "@gradus/domain/Question"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { readFile } from "./AtomicFile.ts"

/** Questions that are trained on have no row in the file with the pass rates. */
export class RatesMissing extends Schema.TaggedError<RatesMissing>()("RatesMissing", {
  file: Schema.String,
  lacking: Schema.Int,
  questions: Schema.Int,
  /** A few of them, and an id that the file has. */
  examples: Schema.Array(Schema.String),
  present: Schema.String
}) {
  override get message(): string {
    return `${this.file}: no row for ${this.lacking} of ${this.questions} questions (${this.examples.join(", ")}, …); its ids are like ${this.present}: profile.from.id names their column`
  }
}

const EXAMPLES = 3

/** Takes a question's row over; a posterior has bounds however its counts were come by. Texts and tokens are not known. */
const rowOf = (
  { domain, question_id }: Question,
  { passed, scored }: RatedQuestion,
  credibleLevel: number
): ProfileRow => {
  const interval = scored === 0 ? null : bounds(passed, scored, credibleLevel)
  return {
    question_id,
    domain: domain ?? null,
    n: scored,
    scored,
    passed,
    rate: scored === 0 ? null : passed / scored,
    low: interval?.low ?? null,
    high: interval?.high ?? null,
    truncated: 0,
    mean_tokens: 0
  }
}

/** Reads the file from where the manifest's relative paths start. Rows of other questions are left out; gives the digest of its content, too. */
export const broughtRates = Effect.fn("BroughtRates.read")(function* (
  spec: RatesSpec,
  { credible_level }: Pick<ProfileSpec, "credible_level">,
  base: string,
  questions: ReadonlyArray<Question>
) {
  const path = yield* Path.Path
  const { column, id, kind, missing, n, n_column, rounding } = spec
  const file = path.resolve(base, spec.file)
  const read = yield* readRows(file)
  const samples = n_column === undefined ? n : { column: n_column }
  const rated = yield* passRates(read, file, { column, kind, n: samples, missing, rounding, id })
  const known = new Map(rated.map((row) => [row.question_id, row]))
  const lacking = questions.filter(({ question_id }) => !known.has(question_id))
  if (lacking.length > 0)
    return yield* new RatesMissing({
      file,
      lacking: lacking.length,
      questions: questions.length,
      examples: lacking.slice(0, EXAMPLES).map(({ question_id }) => question_id),
      present: rated[0]?.question_id ?? "nothing"
    })
  const rows = questions.flatMap((question) => {
    const row = known.get(question.question_id)
    return row === undefined ? [] : [rowOf(question, row, credible_level)]
  })
  return { rows, content: ofBytes(yield* readFile(file)) }
})
