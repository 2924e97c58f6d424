/** The colours of charts and page by role. Figures are drawn with the light ones; in the page each becomes a CSS variable, so that it follows the theme. */

/** A role's colour on a light and on a dark surface. Series colours keep a contrast of at least 3:1 to both, text 4.5:1. */
export interface Tone {
  readonly light: string
  readonly dark: string
}

const tone = (light: string, dark: string): Tone => ({ light, dark })

export const palette = {
  surface: tone("#ffffff", "#171b21"),
  ink: tone("#1c2430", "#e6eaf0"),
  muted: tone("#596473", "#9daaba"),
  grid: tone("#e4e8ee", "#2a313b"),
  axis: tone("#b3bcc8", "#485361"),
  blue: tone("#1f67b1", "#6fb3f2"),
  orange: tone("#b6550d", "#f2a65e"),
  green: tone("#23795a", "#63c99a"),
  purple: tone("#7650b4", "#b99cf2"),
  rose: tone("#b02f63", "#f08cb4"),
  grey: tone("#6e7884", "#93a0b0"),
  level0: tone("#2d2a5e", "#6a64c8"),
  level1: tone("#31407c", "#5f7fd6"),
  level2: tone("#2f5a94", "#559add"),
  level3: tone("#29749f", "#4fb1d6"),
  level4: tone("#258c9c", "#4fc2c0"),
  level5: tone("#33a08d", "#63cfa5"),
  level6: tone("#5db077", "#88d98b"),
  level7: tone("#8cbb62", "#b2df78"),
  level8: tone("#bcbf55", "#d6e06f"),
  level9: tone("#dcb950", "#efdd74"),
  level10: tone("#efb25a", "#f9d58a")
} as const satisfies Record<string, Tone>

/** The light colour of each role, as figures use it. */
export const ink = Object.fromEntries(Object.entries(palette).map(([role, { light }]) => [role, light])) as {
  readonly [Role in keyof typeof palette]: string
}

/** Series colours in the order in which they are given out. */
export const seriesColours: ReadonlyArray<string> = [ink.blue, ink.orange, ink.green, ink.purple, ink.rose, ink.grey]

const ramp: ReadonlyArray<string> = [
  ink.level0,
  ink.level1,
  ink.level2,
  ink.level3,
  ink.level4,
  ink.level5,
  ink.level6,
  ink.level7,
  ink.level8,
  ink.level9,
  ink.level10
]

/** Spreads `count` levels over the ramp from the hardest (dark) to the easiest. */
export const levelColours = (count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, level) =>
    count === 1 ? ink.level4 : (ramp[Math.round((level * (ramp.length - 1)) / (count - 1))] ?? ink.level4)
  )

/** Writes the variables of one theme: `--blue: #1f67b1; …`. */
export const variables = (theme: keyof Tone): string =>
  Object.entries(palette)
    .map(([role, value]) => `--${role}: ${value[theme]};`)
    .join(" ")

const roleOf = new Map(Object.entries(palette).map(([role, { light }]) => [light, role]))

/** Replaces the colours of a figure by the variables of their roles; colours without a role stay. */
export const withVariables = (svg: string): string =>
  svg.replaceAll(/\b(fill|stroke)="(#[0-9a-f]{6})"/g, (attribute, name: string, colour: string) => {
    const role = roleOf.get(colour)
    return role === undefined ? attribute : `${name}="var(--${role})"`
  })
