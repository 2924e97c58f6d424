/** The curriculum step by step: the pool's pass rates, what a batch aimed at, and what it held. */
import { curriculumStep } from "@gradus/analytics/charts/curriculumStep"
import type { LoadedRun } from "../data/Run.ts"
import { Chart } from "../parts/Chart.tsx"
import { fixed } from "../parts/Numbers.ts"
import { link, restate } from "../Router.ts"

export const CurriculumPage = ({ loaded, query }: { loaded: LoadedRun; query: URLSearchParams }) => {
  const { record, run } = loaded
  const steps = record.plan.length
  const asked = Number(query.get("step") ?? 1)
  const step = Math.min(Math.max(1, Number.isInteger(asked) ? asked : 1), Math.max(1, steps))
  const batch = record.plan[step - 1]
  const spec = curriculumStep(record, step)
  if (batch === undefined || spec === null) return <p class="quiet">There is no plan yet.</p>
  return (
    <>
      <div class="controls">
        <label>
          step {step} of {steps}{" "}
          <input
            type="range"
            min={1}
            max={steps}
            value={step}
            onInput={(event) => restate(["run", run, "curriculum"], { step: event.currentTarget.value })}
          />
        </label>
        <span role="status">
          target {fixed(batch.targetMean, 3)}, drawn {fixed(batch.achievedMean, 3)}, {batch.fill} of{" "}
          {batch.questions.length} are fill
        </span>
      </div>
      <Chart
        title="Batch, target and pool"
        caption="Share of questions by pass rate: bars are the batch, the line is what it aimed at, the area is the whole pool."
        spec={spec}
      />
      <h2>Questions of this batch</h2>
      <ul class="questions">
        {batch.questions.map((question) => (
          <li key={question}>
            <a href={link(["run", run, "group", batch.batch, question])}>
              <bdi>{question}</bdi>
            </a>
          </li>
        ))}
      </ul>
    </>
  )
}
