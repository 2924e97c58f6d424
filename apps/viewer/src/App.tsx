/** The pages by address. */
import { useEffect } from "preact/hooks"
import { CompletionsPage } from "./pages/CompletionsPage.tsx"
import { ComparePage } from "./pages/ComparePage.tsx"
import { CurriculumPage } from "./pages/CurriculumPage.tsx"
import { FilesPage } from "./pages/FilesPage.tsx"
import { GroupPage } from "./pages/GroupPage.tsx"
import { JudgePage } from "./pages/JudgePage.tsx"
import { QuestionPage } from "./pages/QuestionPage.tsx"
import { RunPage } from "./pages/RunPage.tsx"
import { RunsPage } from "./pages/RunsPage.tsx"
import { SearchPage } from "./pages/SearchPage.tsx"
import { SweepPage } from "./pages/SweepPage.tsx"
import { SweepsPage } from "./pages/SweepsPage.tsx"
import { RunFrame } from "./parts/RunFrame.tsx"
import { link, type Place, usePlace } from "./Router.ts"

const Page = ({ path, query }: Place) => {
  const [kind, run, page = "", ...rest] = path
  if (kind === "compare") return <ComparePage runs={(query.get("runs") ?? "").split(",").filter((one) => one !== "")} />
  if (kind === "search") return <SearchPage query={query} />
  if (kind === "sweeps") return <SweepsPage />
  if (kind === "sweep" && run !== undefined) return <SweepPage sweep={run} query={query} />
  if (kind !== "run" || run === undefined) return <RunsPage query={query} />
  return (
    <RunFrame run={run} page={page}>
      {(loaded) => {
        switch (page) {
          case "curriculum":
            return <CurriculumPage loaded={loaded} query={query} />
          case "completions":
            return <CompletionsPage loaded={loaded} query={query} />
          case "judge":
            return <JudgePage loaded={loaded} />
          case "files":
            return <FilesPage loaded={loaded} />
          case "group": {
            const k = query.get("k")
            return (
              <GroupPage
                loaded={loaded}
                step={Number(rest[0] ?? 0)}
                question={rest[1] ?? ""}
                k={k === null ? undefined : Number(k)}
              />
            )
          }
          case "question":
            return <QuestionPage loaded={loaded} question={rest[0] ?? ""} />
          default:
            return <RunPage loaded={loaded} />
        }
      }}
    </RunFrame>
  )
}

export const App = () => {
  const place = usePlace()
  const words = place.path.slice(1).join(" ")
  useEffect(() => {
    document.title = words === "" ? "Gradus" : `${words} – Gradus`
  }, [words])
  return (
    <>
      <a class="skip" href="#main">
        to the content
      </a>
      <nav class="top" aria-label="viewer">
        <a href={link([])} class="brand">
          Gradus
        </a>
        <a href={link([])}>runs</a>
        <a href={link(["sweeps"])}>sweeps</a>
        <a href={link(["search"])}>search</a>
      </nav>
      <main id="main">
        <Page path={place.path} query={place.query} />
      </main>
    </>
  )
}
