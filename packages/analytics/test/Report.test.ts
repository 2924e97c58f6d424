/** The report: its numbers, its safety against hostile completions, and its independence from the network. */
import { assert, describe, it } from "@effect/vitest"
import type { ExamplePair, RunRecord } from "@gradus/domain/RunRecord"
import * as Effect from "effect/Effect"
import { charts } from "../src/Charts.ts"
import { figures } from "../src/Figures.ts"
import { reportHtml } from "../src/Report.ts"
import { quickstartRecord } from "./quickstartRecord.ts"

const record = quickstartRecord()

/** The visible text of a page, white space folded. */
const textOf = (page: string): string =>
  page
    .replaceAll(/<style>.*?<\/style>/gs, " ")
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/\s+/g, " ")

/** The report without figures: most of what it says does not depend on them. */
const words = (replaced: Partial<RunRecord> = {}) => reportHtml(quickstartRecord(replaced), { figures: [] })

const withCompletion = (text: string): Partial<RunRecord> => {
  const [example] = record.examples as readonly [ExamplePair]
  return {
    examples: [{ ...example, question: text, first: { ...example.first, text }, last: { ...example.last, text } }]
  }
}

describe("reportHtml", () => {
  it.effect("gives the verdict with binomial standard errors", () =>
    Effect.gen(function* () {
      const text = textOf(yield* words())
      // sqrt(.354 * .646 / 1024) = .0149, sqrt(.887 * .113 / 1024) = .0099; their root of squares is .0179.
      assert.include(text, "heldout 35.4 ± 1.5 % 88.7 ± 1.0 % +53.3")
      assert.include(text, "accuracy +53.3 ± 1.8 points")
      // One sample of the first reading of hard has no score: 511 count. sqrt(.016 * .984 / 511) = .0056.
      assert.include(text, "hard 1.6 ± 0.6 % 49.2 ± 2.2 % +47.6")
      assert.include(text, "Unscored samples: 3 (profile 0, training 2, evaluation 1)")
    })
  )

  it.effect("says of a refresh how much of the rise is regression to the mean", () =>
    Effect.gen(function* () {
      const metrics = {
        "refresh/questions": 1200,
        "refresh/kept": 1100,
        "refresh/mean_before": 0.31,
        "refresh/mean_after": 0.42,
        "refresh/low_change": 0.17,
        "refresh/low_change_by_regression": 0.05,
        "refresh/low_change_beyond_regression": 0.12
      }
      const text = textOf(yield* words({ refreshes: [{ step: 50, reason: "a plateau", metrics }] }))
      assert.include(text, "50 1 200 1 100 31.0 % 42.0 % +17.0 +5.0 +12.0 a plateau")
      assert.notInclude(textOf(yield* words()), "Refreshes of the curriculum")
    })
  )

  it.effect("says where the run comes from", () =>
    Effect.gen(function* () {
      const page = yield* reportHtml(record, {
        figures: [],
        digest: { plan: "p".repeat(64), metrics: "m".repeat(64), weights: "w".repeat(64) }
      })
      for (const fact of [
        "quickstart--0f3a9c1b22",
        "c6285fb0d8",
        "2 × Intel Xeon, 8.0 GiB",
        "torch 2.13.0 on cpu (AVX512), bitwise",
        record.lineage.manifest_digest,
        "w".repeat(64)
      ])
        assert.include(page, fact)
    })
  )

  it.effect("labels a demonstration, a control and a run that is not finished", () =>
    Effect.gen(function* () {
      const plain = textOf(yield* words())
      assert.include(plain, "not that a language model reasons")
      assert.include(plain, "This is a demonstration on questions that a program makes (sorting)")
      assert.notInclude(plain, "has not finished")
      assert.notInclude(plain, "This is a control")
      const manifest = { ...record.manifest, rewards: { ...record.manifest.rewards, control: "shuffled" as const } }
      const control = textOf(yield* words({ finished: false, manifest }))
      assert.include(control, "This run has not finished")
      assert.include(control, "This is a control: rewards were shuffled")
    })
  )

  it.effect("shows completions as text, whatever they contain", () =>
    Effect.gen(function* () {
      const page = yield* words(
        withCompletion(`</pre><script>alert(1)</script><img src=x onerror="alert(2)">&amp;\u202egnp.exe\u0000\ud800`)
      )
      assert.notMatch(page, /<script|<img|onerror="alert/)
      assert.include(
        page,
        "&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=&quot;alert(2)&quot;&gt;&amp;amp;"
      )
      assert.include(page, "\\u202egnp.exe\\u0000\ufffd")
      assert.notInclude(page, "\u202e")
    })
  )

  it.effect("shows the manifest's own texts as text", () =>
    Effect.gen(function* () {
      const page = yield* words({
        manifest: { ...record.manifest, description: "</title></style><script>alert(1)</script>" }
      })
      assert.notInclude(page, "<script")
    })
  )

  it.effect("keeps the line breaks of a completion", () =>
    Effect.gen(function* () {
      const page = yield* words(withCompletion("one\n  two\r\nthree"))
      assert.include(page, '<pre class="completion">one\n  two\nthree</pre>')
    })
  )

  it.effect("works for a run that has only begun", () =>
    Effect.gen(function* () {
      const empty = {
        metrics: [],
        timings: [],
        plan: [],
        profile: [],
        evaluation: [],
        examples: [],
        history: [],
        finished: false
      }
      const page = yield* reportHtml(quickstartRecord(empty))
      assert.include(page, "No evaluation set has been read yet.")
      assert.include(page, "There is nothing to draw yet.")
      assert.notMatch(textOf(page), /NaN|undefined|null/)
    })
  )

  it.effect("shows one reading as one reading", () =>
    Effect.gen(function* () {
      const text = textOf(yield* words({ evaluation: record.evaluation.filter(({ step }) => step === 0) }))
      assert.include(text, "heldout 35.4 % accuracy, one reading")
      assert.notInclude(text, "→")
    })
  )

  it.effect("holds every chart, drawn, named for screen readers, without scripts, addresses or colliding ids", () =>
    Effect.gen(function* () {
      const page = yield* reportHtml(record)
      assert.strictEqual(page.match(/<svg /g)?.length, charts.length)
      for (const { caption, title } of charts)
        assert.include(page, `aria-label="${`${title}. ${caption}`.replaceAll("'", "&#39;")}"`)
      assert.notMatch(page, /<script|<link|@import|<iframe|\bon[a-z]+=/)
      // No address at all but the namespaces of SVG, which are names.
      assert.deepStrictEqual([...new Set(page.match(/\w+:\/\/[^"'\s)<]+/g))], [])
      const ids = [...page.matchAll(/\bid="([^"]+)"/g)].map(([, id]) => id)
      assert.strictEqual(new Set(ids).size, ids.length)
      for (const [, target] of page.matchAll(/url\(#([^)]+)\)/g)) assert.include(ids, target)
      assert.match(page, /^<!doctype html>\s*<html lang="en">/)
      assert.notMatch(page, /(fill|stroke)="#[0-9a-f]{6}"/)
    })
  )

  it.effect("is equal for equal records", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* reportHtml(record), yield* reportHtml(quickstartRecord()))
    })
  )
})

describe("figures", () => {
  it.effect("gives spec and drawing of every chart that has data, in the report's order", () =>
    Effect.gen(function* () {
      const drawn = yield* figures(record)
      assert.deepStrictEqual(
        drawn.map(({ name }) => name),
        charts.map(({ name }) => name)
      )
      for (const { svg } of drawn) assert.match(svg, /^<svg [^>]*viewBox=.*<\/svg>$/s)
      const some = yield* figures(quickstartRecord({ metrics: [], timings: [] }))
      assert.deepStrictEqual(
        some.map(({ name }) => name),
        [
          "learning-curve",
          "accuracy-by-level",
          "profile",
          "target-achieved",
          "pool-depletion",
          "starting-level",
          "lengths-kept"
        ]
      )
    })
  )
})
