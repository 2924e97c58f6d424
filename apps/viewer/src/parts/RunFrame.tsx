/** The frame of a run's pages: its name, its state, and the way to its other pages. */
import type { ComponentChildren } from "preact"
import { type LoadedRun, loadRun } from "../data/Run.ts"
import { useLoad } from "../data/Load.ts"
import { link } from "../Router.ts"
import { StateBadge } from "./StateBadge.tsx"
import { Waiting } from "./Waiting.tsx"

const LIVE_MS = 3000

const PAGES = [
  ["", "curves"],
  ["curriculum", "curriculum"],
  ["completions", "completions"],
  ["judge", "judge"],
  ["files", "files"]
] as const

const Head = ({ loaded: { record, written } }: { loaded: LoadedRun }) => (
  <p class="quiet">
    {record.lineage.trainer.device === "simulated" && <strong class="badge warn">simulation</strong>}{" "}
    <StateBadge of={{ ...written, finished: record.finished }} /> seed {record.manifest.seed},{" "}
    {record.manifest.curriculum.batcher}, {record.manifest.train.prompts_per_step} ×{" "}
    {record.manifest.train.samples_per_prompt}
  </p>
)

/** Loads the run, again every few seconds while it goes on. */
export const RunFrame = ({
  run,
  page,
  children
}: {
  run: string
  page: string
  children: (loaded: LoadedRun) => ComponentChildren
}) => {
  const loaded = useLoad(
    run,
    () => loadRun(run),
    ({ record }) => (record.finished ? undefined : LIVE_MS)
  )
  return (
    <>
      <header class="run">
        <h1>{run}</h1>
        {loaded.state === "ready" && <Head loaded={loaded.value} />}
        <nav aria-label="pages of this run">
          {PAGES.map(([name, words]) => (
            <a
              key={name}
              href={link(name === "" ? ["run", run] : ["run", run, name])}
              aria-current={name === page ? "page" : undefined}
            >
              {words}
            </a>
          ))}
        </nav>
      </header>
      <Waiting loaded={loaded}>{children}</Waiting>
    </>
  )
}
