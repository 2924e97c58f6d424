/** Drawing: pictures are real PNG with marks in them, failures are typed. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { TopLevelSpec } from "vega-lite"
import { FigureUndrawable, toPng, toSvg } from "../src/Render.ts"

const square = '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="6"><rect width="10" height="6"/></svg>'

describe("toPng", () => {
  it.effect("draws PNG bytes of the asked size", () =>
    Effect.gen(function* () {
      const png = yield* toPng(square, { scale: 3 })
      const header = new DataView(png.buffer, png.byteOffset)
      assert.deepStrictEqual(png.subarray(0, 4), Uint8Array.of(0x89, 0x50, 0x4e, 0x47))
      assert.deepStrictEqual([header.getUint32(16), header.getUint32(20)], [30, 18])
    })
  )
  it.effect("says what it cannot read", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(toPng("<svg"))
      assert.instanceOf(failure, FigureUndrawable)
      assert.include(failure.message, "a figure could not be drawn")
    })
  )
})

describe("toSvg", () => {
  it.effect("fails as data on a spec that vega-lite refuses", () =>
    Effect.gen(function* () {
      // no spec: that is what must fail
      const failure = yield* Effect.flip(toSvg({ data: { values: [] } } as unknown as TopLevelSpec))
      assert.strictEqual(failure._tag, "FigureUndrawable")
    })
  )
})
