import { assert, describe, it } from "@effect/vitest"
import type { ScoreRequest } from "@gradus/domain/Score"
import { root } from "@gradus/domain/Seed"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { compose, inLoss } from "../src/Compose.ts"
import { needsNoJudge, scoreWithRules } from "../src/Score.ts"
import { shuffleValues } from "../src/Shuffle.ts"
import { rewards } from "./Rules.ts"

const request = (completion: string, rest: Partial<ScoreRequest> = {}): ScoreRequest => ({
  id: "q/0",
  gold: "bdqz",
  completion,
  thinking: "on",
  ...rest
})

const score = (written: Parameters<typeof rewards>[0], asked: ScoreRequest) => {
  const spec = rewards(written)
  assert.isTrue(needsNoJudge(spec))
  return needsNoJudge(spec) ? scoreWithRules(spec, asked) : undefined
}

describe("scoreWithRules", () => {
  it("takes no answer from a thought that the chat template has opened and the completion does not end", () => {
    const opened = { accuracy: "numeric", gold: "4", format_options: { think_opened_by_template: true } } as const
    const of = (completion: string, thinking: "on" | "off" = "on") => {
      const { answer, components } = score(opened, request(completion, { gold: "4", thinking })) ?? {}
      return [answer, components]
    }
    assert.deepStrictEqual(of("2+2 is 4, so"), [null, { accuracy: 0, format: 0 }])
    assert.deepStrictEqual(of("t</think>4"), ["4", { accuracy: 1, format: 1 }])
    assert.deepStrictEqual(of("<think>t</think>4"), ["4", { accuracy: 1, format: 0 }])
    // a template that opens a thought does so only where thinking is on
    assert.deepStrictEqual(of("4", "off"), ["4", { accuracy: 1, format: 1 }])
  })

  it("is the product of accuracy and format", () => {
    assert.deepStrictEqual(score({}, request("<think>bdqz</think>bdqz")), {
      value: 1,
      answer: "bdqz",
      components: { accuracy: 1, format: 1 }
    })
    assert.deepStrictEqual(score({}, request("bdqz")), {
      value: 0,
      answer: "bdqz",
      components: { accuracy: 1, format: 0 }
    })
    assert.deepStrictEqual(score({}, request("<think>a</think>bdzq")), {
      value: 0,
      answer: "bdzq",
      components: { accuracy: 0, format: 1 }
    })
    assert.strictEqual(score({}, request("bdqz", { thinking: "off" }))?.value, 1)
  })

  it("leaves out what is not measured", () => {
    assert.deepStrictEqual(score({ format: "none" }, request("bdqz"))?.components, { accuracy: 1 })
    assert.deepStrictEqual(score({ accuracy: "none" }, request("bdqz")), {
      value: 0,
      answer: "bdqz",
      components: { format: 0 }
    })
  })

  it("is unscored, not 0, where the truth cannot be read", () => {
    assert.deepStrictEqual(score({ accuracy: "numeric", format: "none" }, request("5", { gold: "many" })), {
      value: null,
      unscored: "gold_unreadable",
      answer: "5",
      components: {}
    })
  })

  it("gives a truncated completion 0 under either rule, with its parts on record", () => {
    for (const truncated of ["zero", "mask"] as const) {
      const cut = score({ truncated }, request("<think>bdqz</think>bdqz", { truncated: true }))
      assert.strictEqual(cut?.value, 0)
      assert.deepStrictEqual(cut?.components, { accuracy: 1, format: 1 })
    }
    assert.isTrue(inLoss("zero", true))
    assert.isFalse(inLoss("mask", true))
    assert.isTrue(inLoss("mask", false))
  })

  it("scores the answer that its rule points at", () => {
    const boxed = { accuracy: "numeric", answer: "boxed_last", format: "none" } as const
    assert.strictEqual(score(boxed, request("\\boxed{7} of 9", { gold: "7" }))?.value, 1)
    assert.strictEqual(score({ ...boxed, answer: "numeric_end" }, request("\\boxed{7} of 9", { gold: "7" }))?.value, 0)
    assert.isNull(score(boxed, request("7", { gold: "7" }))?.answer)
  })
})

it("compose keeps what is unscored unscored, truncated or not", () => {
  const spec = rewards()
  assert.deepStrictEqual(compose(spec, { format: 1 }, true, "judge_failed"), { value: null, unscored: "judge_failed" })
  assert.deepStrictEqual(compose(spec, { accuracy: 0.5, format: 0.5 }, false), { value: 0.25 })
})

describe("shuffleValues", () => {
  const values = Arbitrary.schema(Schema.Array(Schema.NullOr(Schema.Int)))
  it.prop("permutes what is scored and leaves null in its place", [values, Schema.Int], ([batch, seed]) => {
    const shuffled = shuffleValues(batch, root(seed))
    assert.deepStrictEqual(
      shuffled.map((value) => value === null),
      batch.map((value) => value === null)
    )
    const sorted = (of: ReadonlyArray<number | null>) => of.filter((value) => value !== null).toSorted((a, b) => a - b)
    assert.deepStrictEqual(sorted(shuffled), sorted(batch))
    assert.deepStrictEqual(shuffleValues(batch, root(seed)), shuffled)
  })

  it("moves values across the whole batch, by its seed only", () => {
    const batch = Array.from({ length: 64 }, (_, i) => i)
    const moved = shuffleValues(batch, root(1)).filter((value, i) => value !== i)
    assert.isAbove(moved.length, 56)
    assert.notDeepEqual(shuffleValues(batch, root(1)), shuffleValues(batch, root(2)))
  })
})
