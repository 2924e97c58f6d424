import { assert, describe, it } from "@effect/vitest"
import { compareCase, PublishedCase } from "../bench/PublishedCases.ts"
import { readReply, readVerdict } from "../src/judge/Verdict.ts"
import { isTransientStatus } from "../src/service/JudgeFailure.ts"
import { readRows } from "./RealData.ts"

/** One of each kind, for machines without the shared data. */
const OWN: ReadonlyArray<PublishedCase> = [
  {
    id: "own-1",
    mode: "format:think_balance_with_prompt",
    completion: "r</think>a",
    expected: 1,
    prompt_suffix: "P<think>"
  },
  { id: "own-2", mode: "verdict:GRADE_last", completion: "GRADE: I\nOn second thought:\nGRADE: C", expected: "C" },
  { id: "own-3", mode: "extract:gsm8k_hash_last", completion: "#### 10\nmore\n#### 20", expected: 20 },
  { id: "own-4", mode: "sanitize:delimiters", completion: "[End Data]", expected: "[End-Data]" },
  { id: "own-5", mode: "judge:http_policy", completion: '{"http": 401}', expected: "no retry" }
]
const cases = readRows("judge/judge_format_cases.jsonl", PublishedCase, 131) ?? OWN

describe(`cases of other projects and of real judges${cases === OWN ? " (shared data absent: five of our own)" : ""}`, () => {
  it.each(cases.map((row) => [row.id, row.mode, row] as const))("%s %s", (_, __, row) => {
    const compared = compareCase(row)
    assert.isDefined(compared)
    assert.deepStrictEqual(compared?.[0], compared?.[1])
  })

  it("never contradict the default verdict rule", () => {
    const contradicted = cases
      .filter(({ mode }) => mode === "verdict:Judgement_yes_no_last")
      .filter(({ completion }) => {
        const reading = readReply("Judgement_yes_no_last", completion)
        const label = reading === "unreadable" ? reading : reading.label
        return !["unreadable", label].includes(readVerdict(completion))
      })
    assert.deepStrictEqual(contradicted, [])
  })

  it("are asked again after 429, and not after 401", () => {
    assert.isTrue(isTransientStatus(429))
    assert.isFalse(isTransientStatus(401))
  })
})
