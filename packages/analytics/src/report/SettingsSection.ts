/** The settings that decide a run, and the whole resolved manifest behind a fold. */
import type { Manifest } from "@gradus/domain/manifest/Manifest"
import type { RunRecord } from "@gradus/domain/RunRecord"
import { count } from "./Format.ts"
import { html, type Markup } from "./Html.ts"

type Setting = readonly [name: string, value: string]

/** Writes the main settings as tables of two columns. */
export const settingsSection = ({ manifest, plan, profile }: RunRecord): Markup => {
  const kept = new Set(plan.flatMap(({ questions }) => questions)).size
  const pool: ReadonlyArray<Setting> = [
    ["Questions", manifest.questions.kind],
    ["Profiled questions", count(profile.length)],
    ["In the plan", `${count(kept)} questions, ${count(plan.length)} batches`]
  ]
  return html`<section aria-labelledby="settings">
    <h2 id="settings">Settings</h2>
    <div class="columns">
      ${table([...pool, ...curriculum(manifest)])} ${table([...training(manifest), ...policy(manifest)])}
    </div>
    <details>
      <summary>The whole resolved manifest</summary>
      <pre><code>${JSON.stringify(manifest, null, 2)}</code></pre>
    </details>
  </section>`
}

const table = (settings: ReadonlyArray<Setting>): Markup =>
  html`<table>
    <tbody>
      ${settings.map(
        ([name, value]) =>
          html`<tr>
            <th scope="row">${name}</th>
            <td>${value}</td>
          </tr> `
      )}
    </tbody>
  </table>`

const curriculum = ({ curriculum, evaluate, filter, profile, rewards, warmup }: Manifest): ReadonlyArray<Setting> => [
  [
    "Warm-up",
    warmup === undefined ? "none" : `${count(warmup.steps)} steps of ${count(warmup.examples_per_step)} examples`
  ],
  profile.from === undefined
    ? ["Samples a question (profile)", count(profile.samples)]
    : ["Pass rates (profile)", `not measured: ${profile.from.column} (${profile.from.kind}) of ${profile.from.file}`],
  ["Dropped at pass rate", `≥ ${filter.drop_at}${filter.floor === undefined ? "" : `, < ${filter.floor}`}`],
  ["Batcher", curriculum.batcher === "gaussian" ? `gaussian, sigma ${curriculum.sigma}` : curriculum.batcher],
  ["Rewards", `accuracy ${rewards.accuracy}, format ${rewards.format}, ${rewards.compose}`],
  ["Evaluation", `${count(evaluate.samples)} samples a question`]
]

const training = ({ sampling, train }: Manifest): ReadonlyArray<Setting> => [
  ["Prompts a step", count(train.prompts_per_step)],
  ["Samples a prompt", count(train.samples_per_prompt)],
  ["Updates a step", count(train.updates_per_step)],
  ["Advantage", train.advantage],
  ["Loss", `${train.loss.kind}, ${train.loss.clip_low} / ${train.loss.clip_high}, KL ${train.loss.kl_coef}`],
  ["Normaliser", train.normaliser],
  ["Learning rate", `${train.learning_rate.peak}, ${train.learning_rate.shape}`],
  ["Sampling", `temperature ${sampling.temperature}, at most ${count(sampling.max_tokens)} tokens`]
]

const policy = ({ policy, trainer }: Manifest): ReadonlyArray<Setting> => [
  ["Policy", policyText(policy)],
  ["Trainer", trainer.kind]
]

const policyText = (policy: Manifest["policy"]): string => {
  switch (policy.kind) {
    case "init":
      return `random ${policy.architecture.family}, ${policy.architecture.layers} layers of ${policy.architecture.hidden_size}`
    case "huggingface":
    case "gguf":
      return `${policy.kind} ${policy.path}`
    case "artifact":
      return `artifact ${policy.digest.slice(0, 10)}`
  }
}
