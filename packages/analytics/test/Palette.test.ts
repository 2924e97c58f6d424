/** The palette: enough contrast in both themes, and a way back from colour to role. */
import { assert, describe, it } from "@effect/vitest"
import { levelColours, palette, type Tone, withVariables } from "../src/Palette.ts"

/** Relative luminance (WCAG 2.2). */
const luminance = (colour: string): number => {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
const contrast = (a: string, b: string): number => {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].toSorted((x, y) => x - y)
  return (light + 0.05) / (dark + 0.05)
}

describe("palette", () => {
  for (const theme of ["light", "dark"] as const satisfies ReadonlyArray<keyof Tone>) {
    it(`has readable text on the ${theme} surface (4.5:1)`, () => {
      for (const role of ["ink", "muted", "blue", "green", "rose"] as const)
        assert.isAtLeast(contrast(palette[role][theme], palette.surface[theme]), 4.5, role)
    })
    it(`has visible series on the ${theme} surface (3:1)`, () => {
      for (const role of ["blue", "orange", "green", "purple", "rose", "grey"] as const)
        assert.isAtLeast(contrast(palette[role][theme], palette.surface[theme]), 3, role)
    })
  }
  it("gives every role its own light colour, so that a colour tells its role", () => {
    const colours = Object.values(palette).map(({ light }) => light)
    assert.strictEqual(new Set(colours).size, colours.length)
  })
  it("replaces the colours of attributes, and nothing else", () =>
    assert.strictEqual(
      withVariables('<path fill="#1f67b1" stroke="#123456"/><text>fill #1f67b1</text>'),
      '<path fill="var(--blue)" stroke="#123456"/><text>fill #1f67b1</text>'
    ))
  it("spreads levels from the hardest to the easiest without repeating a colour", () => {
    assert.deepStrictEqual(levelColours(2), [palette.level0.light, palette.level10.light])
    assert.strictEqual(new Set(levelColours(11)).size, 11)
    assert.lengthOf(levelColours(1), 1)
  })
})
