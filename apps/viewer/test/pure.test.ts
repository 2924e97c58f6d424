/** What the pages decide without a browser. */
import { describe, expect, it } from "vitest"
import { type CompletionRow, matching } from "../src/data/Completions.ts"
import { differences } from "../src/data/Differences.ts"
import { contradicts, differs, ruleOf } from "../src/data/Judged.ts"
import { afterFailure } from "../src/data/Load.ts"
import { ago, runState } from "../src/data/RunState.ts"
import { excerptOf } from "../src/data/Search.ts"
import { partsOf, spelling } from "../src/data/Spelling.ts"
import { link, parse } from "../src/Router.ts"

describe("an address", () => {
  it("says the same when it is written and read, whatever a question is called", () => {
    const question = "a/b?c#d %20 ü"
    const { path, query } = parse(link(["run", "r--1", "group", 3, question], { k: 2, text: "" }))
    expect(path).toEqual(["run", "r--1", "group", "3", question])
    expect([...query]).toEqual([["k", "2"]])
  })

  it("is read although it is broken", () => {
    expect(parse("#/run/%E0%A4%A").path).toEqual(["run", "%E0%A4%A"])
    expect(parse("").path).toEqual([])
  })
})

describe("a filter of completions", () => {
  const row = (
    question_id: string,
    value: number | null,
    answer: string | null,
    finish_reason = "stop"
  ): CompletionRow => ({
    question_id,
    k: 0,
    value,
    length: 1,
    finish_reason,
    advantage: 0,
    answer,
    step: 1
  })
  const rows = [row("Apple", 1, "x"), row("pear", 0, "APPLE"), row("plum", null, null, "length")]
  const any = { text: "", worth: "any", finish: "any" } as const

  it("looks in questions and answers, whatever their case", () => {
    expect(matching(rows, { ...any, text: " apple " })).toEqual(rows.slice(0, 2))
  })

  it("tells wrong from unscored", () => {
    expect(matching(rows, { ...any, worth: "wrong" })).toEqual([rows[1]])
    expect(matching(rows, { ...any, worth: "unscored" })).toEqual([rows[2]])
    expect(matching(rows, { ...any, finish: "length" })).toEqual([rows[2]])
  })
})

describe("differences of manifests", () => {
  it("are the paths at which not all are equal, with a gap where one has none", () => {
    const found = differences([
      { a: 1, b: { c: [1, 2], d: "x" } },
      { a: 1, b: { c: [1, 3] } }
    ])
    expect(found).toEqual([
      { path: "b.c", values: ["[1,2]", "[1,3]"] },
      { path: "b.d", values: ['"x"', undefined] }
    ])
  })
})

describe("an excerpt", () => {
  it("is what stands around the wanted text, whatever its case", () => {
    expect(excerptOf("the Answer is 7", "answer")).toBe("the Answer is 7")
    expect(excerptOf(`${"x".repeat(50)}7${"y".repeat(41)}`, "7")).toBe(`…${"x".repeat(40)}7${"y".repeat(40)}…`)
    expect(excerptOf("nothing", "7")).toBeUndefined()
  })
})

describe("the state of a run", () => {
  const [minute, now] = [60_000, 1_000_000_000]
  const state = (owned: number | null, changed: number | null, finished = false) =>
    runState({ finished, owned, changed }, now)

  it("is running while an owner that has not left writes, be it the journal or another file", () => {
    expect(state(now - minute, now - 90 * minute)).toBe("running")
    expect(state(now - 90 * minute, now - minute)).toBe("running")
    expect(state(now - minute, null)).toBe("running")
  })

  it("is stopped when the owner has left, or has written nothing for long", () => {
    expect(state(null, now - 1)).toBe("stopped")
    expect(state(now - 10 * minute, now - 11 * minute)).toBe("stopped")
  })

  it("is finished when the journal says so, whoever is there", () => {
    expect(state(now, now, true)).toBe("finished")
  })

  it("is told with the time since in its largest unit", () => {
    const units = [0, 59_999, minute, 61 * minute, 25 * 60 * minute].map((past) => ago(now - past, now))
    expect(units).toEqual(["0 s ago", "59 s ago", "1 min ago", "1 h ago", "1 d ago"])
  })
})

describe("a failure to read", () => {
  it("leaves what was read, and says that it may be old", () => {
    const read = { state: "ready", value: 3 } as const
    expect(afterFailure(read, "status 500")).toEqual({ ...read, problem: "status 500" })
    expect(afterFailure({ state: "loading" }, "status 500")).toEqual({ state: "failed", reason: "status 500" })
  })
})

describe("tokens in a text", () => {
  const spell = (id: number) => ["<pad>", "<end>", "<think>", "a", "é", "𝄞"][id]

  it("have each their part of it, the end none", () => {
    expect(partsOf("<think>aé𝄞a", [2, 3, 4, 5, 3, 1], spell)).toEqual(["<think>", "a", "é", "𝄞", "a", ""])
    expect(partsOf("", [1], spell)).toEqual([""])
  })

  it("have no place where they do not spell it, or nobody can spell them", () => {
    expect(partsOf("aé", [3], spell)).toBeUndefined()
    expect(partsOf("aé", [3, 3], spell)).toBeUndefined()
    expect(partsOf("a", [9], spell)).toBeUndefined()
    expect(spelling({ policy: { kind: "gguf", path: "policy.gguf" } })(3)).toBeUndefined()
  })
})

describe("a rule beside a judge", () => {
  it("reads numbers where the truth is one, and says nothing elsewhere", () => {
    const said = (answer: string | null, gold: string) => ruleOf({ answer, gold })
    expect([said("so it is 12", "12"), said("12", "13"), said(null, "12"), said("Paris", "Paris")]).toEqual([
      "right",
      "wrong",
      "wrong",
      null
    ])
  })

  it("differs where they say the opposite, not where one of them says nothing", () => {
    const rules = ["right", "wrong", null] as const
    const found = ["yes", "no", "unreadable", "failed"].flatMap((verdict) =>
      rules.filter((rule) => differs({ verdict, rule })).map((rule) => `${verdict} ${rule}`)
    )
    expect(found).toEqual(["yes wrong", "no right"])
  })
})

describe("calls about a completion", () => {
  const spec = { structured: "never", verdict: "yes_no" } as const
  const said = (verdict: string, reply: string | null, structured: "auto" | "never" = "never") =>
    contradicts({ verdict, reply }, { ...spec, structured })

  it("contradict each other where one can be read and all together cannot", () => {
    expect([said("unreadable", "yes"), said("unreadable", "no")]).toEqual([true, true])
    expect([said("unreadable", "perhaps"), said("unreadable", null)]).toEqual([false, false])
    expect([said("yes", "yes"), said("failed", "yes")]).toEqual([false, false])
    const json = '{"verdict":"no"}'
    expect([said("unreadable", json), said("unreadable", json, "auto")]).toEqual([false, true])
  })
})
