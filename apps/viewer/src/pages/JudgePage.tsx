/** What the judge said over the run: where a rule says otherwise, how often it could not be read or did not answer, what it cost, and its replies. */
import { count, percent } from "@gradus/analytics/report/Format"
import type { JudgeSpec } from "@gradus/domain/manifest/Rewards"
import { contradicts, differs, type Judged, judgedOf, mayContradict } from "../data/Judged.ts"
import { useLoad } from "../data/Load.ts"
import type { LoadedRun } from "../data/Run.ts"
import { type ComparedJudge, compareJudge } from "../data/Specs.ts"
import { Chart } from "../parts/Chart.tsx"
import { fixed } from "../parts/Numbers.ts"
import { Waiting } from "../parts/Waiting.tsx"
import { link } from "../Router.ts"

const WORDS = ["yes", "no", "unreadable", "failed"] as const
const SAID: Readonly<Record<string, string>> = {
  yes: "the judge says yes",
  no: "the judge says no",
  unreadable: "no verdict could be read",
  failed: "the judge did not answer"
}
const SHOWN = 200

type Fact = readonly [string, string]

const costOf = (all: ReadonlyArray<Judged>): string => {
  const paid = all.flatMap(({ cost }) => (cost === null ? [] : [cost]))
  if (paid.length === 0) return "no prices"
  return fixed(
    paid.reduce((sum, cost) => sum + cost, 0),
    4
  )
}

const saidOf = (all: ReadonlyArray<Judged>): ReadonlyArray<Fact> => [
  ...WORDS.map((word) => {
    const own = all.filter((one) => one.verdict === word).length
    return [word, `${count(own)} (${percent(own / all.length)})`] as const
  }),
  ["refused by the guard", count(all.filter(({ guard }) => guard !== null).length)],
  ["from the cache", count(all.filter(({ cached }) => cached).length)],
  ["tokens", count(all.reduce((sum, one) => sum + one.prompt_tokens + one.completion_tokens, 0))],
  ["cost", costOf(all)]
]

const agreementOf = ({ agreement }: ComparedJudge): ReadonlyArray<Fact> =>
  agreement === undefined
    ? [["graded by the rule too", "none: no truth is a number"]]
    : [
        ["graded by the rule too", count(agreement.compared)],
        [
          "agreement",
          `${percent(agreement.agreement)} (95 %: ${percent(agreement.low)} to ${percent(agreement.high)})`
        ],
        ["wrong ones that it accepts", percent(agreement.false_accepts)],
        ["right ones that it refuses", percent(agreement.false_rejects)]
      ]

const Facts = ({ facts }: { facts: ReadonlyArray<Fact> }) => (
  <dl class="facts">
    {facts.map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
)

const Replies = ({ all, id, run, title }: { all: ReadonlyArray<Judged>; id: string; run: string; title: string }) => (
  <section aria-labelledby={id}>
    <h2 id={id}>
      {title} ({count(all.length)})
    </h2>
    {all.length === 0 && <p class="quiet">none</p>}
    {all.length > SHOWN && <p class="quiet">the first {SHOWN} of them</p>}
    <ul class="replies">
      {all.slice(0, SHOWN).map((one) => (
        <li key={one.sample_id}>
          <a href={link(["run", run, "group", one.step, one.question_id], { k: one.k })}>
            step {one.step}, <bdi>{one.question_id}</bdi>, {one.k}
          </a>
          : {SAID[one.verdict] ?? one.verdict}
          {one.rule !== null && `, the rule says ${one.rule}`}; truth <bdi>{one.gold}</bdi>, answer{" "}
          <bdi>{one.answer ?? "none taken"}</bdi>
          <pre>
            <bdi>
              {one.reply ?? one.failure ?? (one.guard === null ? "no reply" : `refused by the guard: ${one.guard}`)}
            </bdi>
          </pre>
        </li>
      ))}
    </ul>
  </section>
)

/** What a panel, an exchange of truth and answer, or repetitions could not agree on. */
const Contradictions = ({ all, judge, run }: { all: ReadonlyArray<Judged>; judge: JudgeSpec; run: string }) => (
  <>
    {judge.panel.length > 0 && (
      <p class="quiet">
        {judge.panel.length + 1} judges vote: <bdi>{[judge, ...judge.panel].map(({ model }) => model).join(", ")}</bdi>.
        The files say what they decided together, and one of the replies; a judge that was outvoted is not seen.
      </p>
    )}
    <Replies
      all={all.filter((one) => contradicts(one, judge))}
      id="contradictions"
      run={run}
      title="Calls that contradict each other"
    />
  </>
)

/** Wrong answers that were accepted come first: they are what a policy learns to exploit. */
const apart = (all: ReadonlyArray<Judged>): ReadonlyArray<Judged> =>
  all.filter(differs).toSorted((a, b) => Number(a.rule === "right") - Number(b.rule === "right"))

const Judge = ({
  all,
  compared,
  loaded
}: {
  all: ReadonlyArray<Judged>
  compared: ComparedJudge
  loaded: LoadedRun
}) => {
  const { record, run } = loaded
  const { judge } = record.manifest.rewards
  const unread = all.filter(({ verdict }) => verdict === "unreadable" || verdict === "failed")
  return (
    <>
      <Facts facts={[...saidOf(all), ...agreementOf(compared)]} />
      <div class="charts">
        {compared.drawn.map(({ caption, name, spec, title }) => (
          <Chart key={name} title={title} caption={caption} spec={spec} />
        ))}
      </div>
      <Replies all={apart(all)} id="apart" run={run} title="Judge and rule differ" />
      {judge !== undefined && mayContradict(judge) && <Contradictions all={all} judge={judge} run={run} />}
      <Replies all={unread} id="unread" run={run} title="Not read as yes or no" />
    </>
  )
}

export const JudgePage = ({ loaded }: { loaded: LoadedRun }) => {
  const { files, record, run } = loaded
  const read = useLoad(
    `${run}/judge`,
    async () => {
      const all = await judgedOf(run, files)
      return { all, compared: await compareJudge(record, all) }
    },
    undefined,
    files.size
  )
  return (
    <Waiting loaded={read}>
      {({ all, compared }) =>
        all.length === 0 ? (
          <p class="quiet">This run asked no judge: its rewards are rules.</p>
        ) : (
          <Judge all={all} compared={compared} loaded={loaded} />
        )
      }
    </Waiting>
  )
}
