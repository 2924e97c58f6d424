import { cpuMillis } from "@gradus/testing/CpuMillis"
import { assert, describe, it } from "@effect/vitest"
import { VerdictRule } from "@gradus/domain/manifest/Rewards"
import * as Schema from "effect/Schema"
import { parseRow } from "../src/judge/ParseRows.ts"
import { readReply, readVerdict, VERDICT_RULES, type VerdictRuleName } from "../src/judge/Verdict.ts"

describe("readVerdict", () => {
  it.each(["yes", "Yes.", " YES\n", "yes!", "**Yes**", "**Yes.**", "They agree.\nJudgement: yes", "judgment: Yes."])(
    "reads %j as yes",
    (reply) => assert.strictEqual(readVerdict(reply), "yes")
  )

  it.each(["no", "NO.", "**no**", "The answers differ, yes.\n\n**Judgement: No**"])("reads %j as no", (reply) =>
    assert.strictEqual(readVerdict(reply), "no")
  )

  it.each([
    "",
    "I know that is right",
    "notation differs, yes",
    "yes and no",
    "yes, it is",
    "Yes\nNo",
    "yesterday",
    "nope",
    "y",
    "yes?",
    "Judgement: yes or no",
    "Judgement: yes\nbecause they agree",
    "Judgement: no\nJudgement: yes",
    "My Judgement: yes",
    "1",
    '{"verdict": "yes"}'
  ])("finds %j unreadable", (reply) => assert.strictEqual(readVerdict(reply), "unreadable"))

  it.prop("reads no verdict from a reply with other words", [Schema.String], ([words]) => {
    assert.strictEqual(readVerdict(`${words}x yes`), "unreadable")
    assert.strictEqual(readVerdict(`no x${words}.`), "unreadable")
  })
})

/** Replies that name two verdicts, or end inside a thought: nobody may pick one. */
const UNDECIDED: ReadonlyArray<readonly [VerdictRuleName, string]> = [
  ["Judgement_yes_no_last", "Judgement: yes | no"],
  ["Judgement_yes_no_last", "Judgement: yes, no"],
  ["Judgement_yes_no_last", "Judgement: yes-or-no"],
  ["Judgement_yes_no_last", "Judgement: yes (or no)"],
  ["Judgement_yes_no_last", "<think>They agree. Judgement: yes"],
  ["Judgement_yes_no_last", "<think>Judgement: yes</think>none"],
  ["GRADE_last", "GRADE: C, I"],
  ["GRADE_last", "GRADE: C and I"],
  ["GRADE_last", "<think>GRADE: C"],
  ["hash_pass_fail_last", "<think>\n### PASS\n"],
  ["json_last", '<think>{"verdict": "yes"}'],
  ["choice_last", "<think>\nyes"],
  ["arena_hard_brackets", "<think>[[A>B]]</think>none"],
  ["yes_no", "<think>hm\nJudgement: yes"],
  ["chat_response_body", JSON.stringify({ choices: [{ message: { content: "<think>hm\nJudgement: yes" } }] })]
]

describe("what a judge thinks and what it says", () => {
  it.each(UNDECIDED)("%s finds %j unreadable", (rule, reply) =>
    assert.strictEqual(readReply(rule, reply), "unreadable")
  )

  it.each<readonly [VerdictRuleName, string, string]>([
    ["yes_no", "<think>no</think>\n\nyes", "yes"],
    ["yes_no", "They do not.</think>no", "no"],
    ["choice_last", "<think>x</think>yes", "yes"],
    ["GRADE_last", "<think>GRADE: C</think>GRADE: I", "I"],
    ["GRADE_last", "GRADE: C? No. GRADE: I", "I"],
    ["GRADE_last", "**GRADE:** C", "C"],
    ["chat_response_body", JSON.stringify({ choices: [{ message: { content: "<think>yes</think>no" } }] }), "no"]
  ])("%s reads %j as %s", (rule, reply, label) => {
    const reading = readReply(rule, reply)
    assert.strictEqual(reading === "unreadable" ? reading : reading.label, label)
  })

  it.each<readonly [VerdictRuleName, string]>([
    ["choice_last", `### PASS${" ".repeat(199_000)}x`],
    ["yes_no", `Judgement:${"*".repeat(199_000)}x`]
  ])("%s reads a long reply of nothing at once", (rule, reply) => {
    const began = cpuMillis()
    assert.strictEqual(readReply(rule, reply), "unreadable")
    assert.isBelow(cpuMillis() - began, 1_000)
  })
})

describe("verdict rules by name", () => {
  it.each<readonly [VerdictRuleName, string, unknown]>([
    ["Judgement_yes_no_last", "Judgement: No\nJudgement: Yes, they agree", "yes"],
    ["Judgement_yes_no_last", "**Judgement: Yes**", "yes"],
    ["Judgement_yes_no_last", "Judgement: nothing", "unreadable"],
    ["Judgement_yes_no_last", "Judgement: not yes", "unreadable"],
    ["Judgement_yes_no_last", "Judgement: Yes or No", "unreadable"],
    ["Judgement_yes_no_last", "Judgement: yes/no", "unreadable"],
    ["Judgement_yes_no_last", "judgement: Yes", "unreadable"],
    ["GRADE_last", "**GRADE: C**", "C"],
    ["GRADE_last", "GRADE: **I**", "I"],
    ["GRADE_last", "GRADE: C or I", "unreadable"],
    ["GRADE_last", "GRADE: C/I", "unreadable"],
    ["GRADE_last", "GRADE: C\nGRADE:", "unreadable"],
    ["GRADE_last", "GRADE: Cat", "unreadable"],
    ["GRADE_last", "upgrade: C", "unreadable"],
    ["GRADE_last", "GRADE:\u200bC", "unreadable"],
    ["hash_pass_fail_last", "### FAIL\n### PASS", "PASS"],
    ["hash_pass_fail_last", "### PASS with doubts", "unreadable"],
    ["choice_last", "They agree.\n**Yes.**", "yes"],
    ["choice_last", "Final answer: no", "no"],
    ["choice_last", "yes\nor is it?", "unreadable"],
    ["arena_hard_brackets", "[[B>A]] no, wait: [[A>>B]]", "A>B"],
    ["arena_hard_brackets", "[[A=B]]", "A=B"],
    ["arena_hard_brackets", "[[B>>A]].", "B>A"],
    ["arena_hard_brackets", "[[A<<B]]", "B>A"],
    ["arena_hard_brackets", "[A>B]", "unreadable"],
    ["arena_hard_brackets", "[[A>B]] then [[A>>>B]]", "unreadable"],
    ["arena_hard_brackets", "[[A>B]] as in xs[[0]]", "A>B"],
    ["chat_response_body", '{"choices":[{"message":{"content":"Yes."}}]}', "yes"],
    ["chat_response_body", '{"choices":[{"message":{"content":null}}]}', "unreadable"],
    ["chat_response_body", "yes", "unreadable"]
  ])("%s reads %j as %j", (rule, reply, verdict) => {
    // rows of a table of rules: which verdict belongs to which rule is what is tested
    assert.deepStrictEqual(parseRow(rule, { id: "1", reply }), { id: "1", verdict } as never)
  })

  it.each<readonly [string, unknown]>([
    ['{"verdict": "yes"}', 1],
    ['```json\n{"verdict": "no"}\n```', 0],
    ['{"score": 0.5}', 0.5],
    ['{"reason": "a } in text {", "verdict": "yes"}', 1],
    ['{"score": 2}', null]
  ])("json_last values %s", (reply, value) => {
    const reading = readReply("json_last", reply)
    assert.strictEqual(reading === "unreadable" ? reading : reading.value, value)
  })

  it.each([
    '{"verdict": "YES"}',
    '{"verdict": true}',
    '{"score": "1"}',
    '{"score": 1.5}',
    '{"score": -1}',
    '{"score": true}',
    '{"verdict": "no", "x": "", "verdict": "yes"}',
    '{"verdict": "yes"',
    '["yes"]'
  ])("json_last finds %s unreadable", (reply) => assert.strictEqual(readReply("json_last", reply), "unreadable"))

  it("values a choice by its place and a rubric by its weights", () => {
    const value = (rule: VerdictRuleName, reply: string, options: object) => {
      const reading = readReply(rule, reply, options)
      return reading === "unreadable" ? reading : reading.value
    }
    assert.strictEqual(value("choice_last", "B", { choices: ["A", "B", "C"] }), 0.5)
    const criteria = { a: 3, b: 1 }
    const rubric = (...names: ReadonlyArray<string>) =>
      JSON.stringify({ verdicts: names.map((name) => ({ name, verdict: name === "a" ? "yes" : "no" })) })
    assert.strictEqual(value("rubric_json", rubric("a", "b"), { criteria }), 0.75)
    assert.strictEqual(value("rubric_json", rubric("a"), { criteria }), "unreadable")
    assert.strictEqual(value("rubric_json", rubric("a", "a"), { criteria }), "unreadable")
    assert.strictEqual(value("GRADE_last", "GRADE: P", { partialCredit: true }), 0.5)
  })

  it.each(VERDICT_RULES)("%s finds no reply, an empty one and an endless one unreadable, at once", (rule) => {
    assert.strictEqual(parseRow(rule, { id: "1", reply: null }).verdict, "unreadable")
    const started = cpuMillis()
    for (const reply of [
      "",
      "{".repeat(50_000),
      "GRADE:".repeat(20_000),
      "[[A".repeat(20_000),
      "x".repeat(1_000_000)
    ]) {
      assert.strictEqual(readReply(rule, reply), "unreadable")
    }
    assert.isBelow(cpuMillis() - started, 1500)
  })

  it.prop("no rule crashes on any text", [Schema.String], ([reply]) => {
    for (const rule of VERDICT_RULES) readReply(rule, reply)
  })
})

describe("verdict rules and manifests", () => {
  it("every rule that a manifest can name is a rule", () => {
    for (const rule of VerdictRule.literals) assert.include(VERDICT_RULES, rule)
  })
})
