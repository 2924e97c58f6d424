/** The head of the report: what was run, where it comes from, and what it may not be taken for. */
import type { RunRecord } from "@gradus/domain/RunRecord"
import { isSimulated } from "../Simulated.ts"
import { gibibytes } from "./Format.ts"
import { html, type Content, type Markup } from "./Html.ts"
import { judgeAlarms } from "./JudgeAlarms.ts"

/** Writes name, run, commit, seed, hardware and trainer. */
export const headerSection = (record: RunRecord): Markup => {
  const { lineage, manifest, run } = record
  const { hardware, trainer } = lineage
  return html`<header>
    <p class="kicker">${isSimulated(record) ? "Gradus run report: simulation" : "Gradus run report"}</p>
    <h1>${manifest.name}</h1>
    ${manifest.description !== undefined && html`<p class="lead">${manifest.description}</p>`}
    <dl class="facts">
      ${fact("Run", html`<code>${run}</code>`)} ${fact("Commit", commit(record))} ${fact("Seed", manifest.seed)}
      ${fact("Hardware", `${hardware.cpus} × ${hardware.cpu_model}, ${gibibytes(hardware.memory_bytes)}`)}
      ${fact("Trainer", `torch ${trainer.torch} on ${trainer.device} (${trainer.cpu_capability}), ${trainer.determinism}`)}
      ${fact("Started", html`<time datetime="${lineage.created}">${moment(lineage.created)}</time>`)}
    </dl>
    ${notes(record)}
  </header>`
}

const fact = (name: string, value: Content): Markup =>
  html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div> `

const commit = ({ lineage }: RunRecord): Content =>
  lineage.commit === null
    ? "not under version control"
    : [html`<code>${lineage.commit.slice(0, 10)}</code>`, lineage.dirty === null ? "" : " with uncommitted changes"]

const moment = (created: string): string => created.replace("T", " ").replace(/(:\d\d)(\.\d+)?Z$/, "$1 UTC")

/** Says what a reader must know before believing the numbers. */
const notes = (record: RunRecord): Content => {
  const { finished, manifest } = record
  const { control } = manifest.rewards
  const lines = [
    isSimulated(record) &&
      "This is a simulation: a latent-ability model answered and learnt in the place of a language model. It shows what the schedule does; its accuracies, rewards and lengths say nothing about a real policy.",
    !finished && "This run has not finished: what follows is its state so far.",
    ...judgeAlarms(record),
    control === "shuffled" &&
      "This is a control: rewards were shuffled over each batch, so nothing should be learnt. A rise here would be an error.",
    manifest.questions.kind !== "files" &&
      `This is a demonstration on questions that a program makes (${manifest.questions.kind}). It shows that measuring, filtering, ordering, scoring and updating work together; it says nothing about how a language model reasons, nor that one order of questions beats another.`,
    "It is one run with one seed: the errors given are those of sampling answers. How much another seed would change is not in them."
  ].filter((line) => line !== false)
  return html`<aside class="note" aria-label="How to read this report">
    ${lines.map((line) => html`<p>${line}</p>`)}
  </aside>`
}
