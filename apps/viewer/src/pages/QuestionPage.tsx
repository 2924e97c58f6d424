/** A question over time: each step that drew it, and all of its completions. */
import { percent } from "@gradus/analytics/report/Format"
import type { RolloutRow } from "@gradus/domain/RunRecord"
import { rolloutsOf } from "../data/Groups.ts"
import { useLoad } from "../data/Load.ts"
import type { LoadedRun } from "../data/Run.ts"
import { fixed } from "../parts/Numbers.ts"
import { Waiting } from "../parts/Waiting.tsx"
import { link } from "../Router.ts"

const stepsThatDrew = ({ record }: LoadedRun, question: string): ReadonlyArray<number> =>
  record.plan.filter((batch) => batch.questions.includes(question)).map((batch) => batch.batch)

const meanOf = (rows: ReadonlyArray<RolloutRow>): number | null => {
  const values = rows.flatMap((row) => (row.value === null ? [] : [row.value]))
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length
}

export const QuestionPage = ({ loaded, question }: { loaded: LoadedRun; question: string }) => {
  const { files, record, run } = loaded
  const steps = stepsThatDrew(loaded, question)
  const profile = record.profile.find((row) => row.question_id === question)
  const read = useLoad(
    `${run}/${question}`,
    () => Promise.all(steps.map(async (step) => ({ step, rows: await rolloutsOf(run, files, step, question) }))),
    undefined,
    steps.join()
  )
  return (
    <Waiting loaded={read}>
      {(visits) => (
        <>
          <h2>
            Question <bdi>{question}</bdi>
          </h2>
          <p>
            Profile: {profile === undefined ? "none" : `${profile.passed} of ${profile.scored} right`}
            {profile !== undefined && profile.low !== null && profile.high !== null
              ? `, ${percent(profile.low)} to ${percent(profile.high)}`
              : ""}
            .
          </p>
          {visits.every(({ rows }) => rows.length === 0) && <p class="quiet">No step has asked it yet.</p>}
          {visits
            .filter(({ rows }) => rows.length > 0)
            .map(({ rows, step }) => (
              <section key={step}>
                <h3>
                  <a href={link(["run", run, "group", step, question])}>step {step}</a>: mean {fixed(meanOf(rows))}
                </h3>
                <ol class="answers" start={0}>
                  {rows.map((row) => (
                    <li
                      key={row.sample_id}
                      class={`worth ${row.value === null ? "none" : row.value > 0 ? "right" : "wrong"}`}
                    >
                      <bdi>{row.text}</bdi>
                    </li>
                  ))}
                </ol>
              </section>
            ))}
        </>
      )}
    </Waiting>
  )
}
