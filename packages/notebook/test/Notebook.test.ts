/** Showing, outside of a kernel: what is displayed goes through the port that is handed in. */
import { assert, describe, it } from "@effect/vitest"
import { chartSpec } from "@gradus/analytics/ChartStyle"
import type { TopLevelSpec } from "vega-lite"
import type { Bundle } from "../src/Display.ts"
import { chart, show } from "../src/Notebook.ts"

const displayed = async (act: (display: (bundle: Bundle) => Promise<void>) => Promise<void>): Promise<Bundle> => {
  const bundles: Array<Bundle> = []
  await act(async (bundle) => void bundles.push(bundle))
  assert.lengthOf(bundles, 1)
  return bundles[0] ?? {}
}

const panel = (title: string) => ({
  title,
  width: 100,
  height: 40,
  data: { values: [{ x: 1 }] },
  mark: "point",
  encoding: { x: { field: "x", type: "quantitative" } }
})

describe("chart", () => {
  it("gives the spec, a picture of it, and the titles of its panels as text", async () => {
    const spec = chartSpec({ vconcat: [panel("above"), panel("below")] })
    const bundle = await displayed((display) => chart(spec, display))
    assert.deepStrictEqual(Object.keys(bundle), ["application/vnd.vegalite.v5+json", "image/png", "text/plain"])
    assert.strictEqual(bundle["application/vnd.vegalite.v5+json"], spec)
    assert.include(JSON.stringify(spec), "vega-lite/v5.json")
    const png = Buffer.from(String(bundle["image/png"]), "base64")
    assert.deepStrictEqual([...png.subarray(0, 4)], [0x89, 0x50, 0x4e, 0x47])
    assert.isAbove(png.readUInt32BE(16), 125)
    assert.strictEqual(bundle["text/plain"], "chart: above; below")
  })

  it("is text alone where there is nothing to draw", async () =>
    assert.deepStrictEqual(await displayed((display) => chart(null, display)), { "text/plain": "nothing to draw" }))

  it("fails on what cannot be drawn, and shows nothing", async () => {
    const bundles: Array<Bundle> = []
    // no spec: that is what must fail
    const broken = { data: { values: [] } } as unknown as TopLevelSpec
    const failure = await chart(broken, async (bundle) => void bundles.push(bundle)).catch((cause) => cause)
    assert.include(String(failure), "a figure could not be drawn")
    assert.lengthOf(bundles, 0)
  })
})

describe("show", () => {
  it("gives a table as HTML and as text", async () =>
    assert.hasAllKeys(await displayed((display) => show([{ a: 1 }], {}, display)), ["text/html", "text/plain"]))

  it("says where it cannot show", async () =>
    assert.include(String(await show(1).catch((cause) => cause)), "this is not a cell of the Deno kernel"))
})
