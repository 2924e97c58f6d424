/** A GRPO group: the completions of one question in one step side by side, with what each was worth and why. */
import type { RolloutRow } from "@gradus/domain/RunRecord"
import { groupOf, type Group } from "../data/Groups.ts"
import { useLoad } from "../data/Load.ts"
import type { LoadedRun } from "../data/Run.ts"
import { type Spell, spelling } from "../data/Spelling.ts"
import { fixed } from "../parts/Numbers.ts"
import { Tokens } from "../parts/Tokens.tsx"
import { Waiting } from "../parts/Waiting.tsx"
import { link } from "../Router.ts"

const Card = ({ chosen, group, row, spell }: { chosen: boolean; group: Group; row: RolloutRow; spell: Spell }) => {
  const verdict = group.verdicts.get(row.sample_id)
  return (
    <article class={chosen ? "card chosen" : "card"} aria-label={`completion ${row.k}`}>
      <header>
        <strong>k {row.k}</strong>{" "}
        <span class={`worth ${row.value === null ? "none" : row.value > 0 ? "right" : "wrong"}`}>
          {row.value === null ? `unscored: ${row.unscored ?? "?"}` : `value ${fixed(row.value)}`}
        </span>{" "}
        {row.finish_reason === "length" && <span class="badge warn">cut at the token limit</span>}
      </header>
      <dl>
        <dt>accuracy</dt>
        <dd>{fixed(row.accuracy)}</dd>
        <dt>format</dt>
        <dd>{fixed(row.format)}</dd>
        <dt>advantage</dt>
        <dd>{row.advantage === null ? "none" : fixed(row.advantage)}</dd>
        <dt>tokens</dt>
        <dd>{row.length}</dd>
        <dt>log p</dt>
        <dd>{fixed(row.logprob)}</dd>
        <dt>answer</dt>
        <dd>
          <bdi>{row.answer ?? "none taken"}</bdi>
        </dd>
      </dl>
      <Tokens row={row} sent={group.sent.get(row.sample_id)} spell={spell} />
      {verdict !== undefined && (
        <details>
          <summary>
            judge: {verdict.verdict}
            {verdict.cached ? ", from the cache" : ""}
            {verdict.guard === null ? "" : `, refused by the guard: ${verdict.guard}`}
          </summary>
          <p class="quiet">
            {verdict.model}, {verdict.prompt_tokens} + {verdict.completion_tokens} tokens, {Math.round(verdict.ms)} ms
            {verdict.cost === null ? "" : `, cost ${verdict.cost}`}
          </p>
          <pre>
            <bdi>{verdict.reply ?? verdict.failure ?? "no reply"}</bdi>
          </pre>
        </details>
      )}
    </article>
  )
}

const Legend = () => (
  <p class="legend" aria-hidden="true">
    tokens, as the sampler found them: <span class="surprise0">sure</span> <span class="surprise1">likely</span>{" "}
    <span class="surprise2">open</span> <span class="surprise3">unlikely</span>{" "}
    <span class="surprise4">surprising</span>
  </p>
)

export const GroupPage = ({
  loaded,
  step,
  question,
  k
}: {
  loaded: LoadedRun
  step: number
  question: string
  k: number | undefined
}) => {
  const { files, record, run } = loaded
  const group = useLoad(`${run}/${step}/${question}`, () => groupOf(run, files, step, question))
  const profile = record.profile.find((row) => row.question_id === question)
  const spell = spelling(record.manifest)
  return (
    <Waiting loaded={group}>
      {(value) => {
        const [first] = value.rows
        if (first === undefined) return <p class="quiet">Step {step} did not ask this question.</p>
        const passed = value.rows.filter((row) => row.value !== null && row.value > 0).length
        return (
          <>
            <h2>
              Group of <bdi>{question}</bdi> in step {step}
            </h2>
            <p>
              {passed} of {value.rows.length} right; profile{" "}
              {profile === undefined ? "unknown" : `${profile.passed} of ${profile.scored}`}; thinking {first.thinking};
              policy version {first.policy_version}.{" "}
              <a href={link(["run", run, "question", question])}>all groups of this question</a>
            </p>
            <section class="question">
              <h3>Question</h3>
              <pre>
                <bdi>{first.question}</bdi>
              </pre>
              <h3>Truth</h3>
              <pre>
                <bdi>{first.gold}</bdi>
              </pre>
            </section>
            {value.sent.size > 0 && <Legend />}
            <div class="cards">
              {value.rows.map((row) => (
                <Card key={row.sample_id} chosen={row.k === k} group={value} row={row} spell={spell} />
              ))}
            </div>
          </>
        )
      }}
    </Waiting>
  )
}
