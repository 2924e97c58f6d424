/** What arms are called: the names of their points, cut where they are long, and never two the same. Pure. */
import { ofJson } from "@gradus/domain/Digest"
import { type Tree, toValue } from "@gradus/manifest/Tree"
import type { SweepSetting } from "./Setting.ts"

/** A point of one axis, or of their product. */
export interface Arm {
  /** What it is called in tables and charts: the names of its points. */
  readonly name: string
  readonly settings: ReadonlyArray<SweepSetting>
}

/** A value longer than this is cut. */
const WIDEST = 60

/** So many digits of a digest tell arms apart whose names came out equal. */
const DIGITS = 12

/** Writes a setting as a part of a name. */
export const shown = (name: string, value: Tree): string => {
  const plain = toValue(value)
  const text = typeof plain === "string" ? plain : JSON.stringify(plain)
  return `${name}=${text.length > WIDEST ? `${text.slice(0, WIDEST)}…` : text}`
}

/** Arms are told apart by their names. Where these came out equal, since values were cut or differ only in their type, what is set says which is which. */
export const named = (arms: ReadonlyArray<Arm>): ReadonlyArray<Arm> => {
  const counts = new Map<string, number>()
  for (const { name } of arms) counts.set(name, (counts.get(name) ?? 0) + 1)
  return arms.map((arm) => {
    if (counts.get(arm.name) === 1) return arm
    const set = ofJson(arm.settings.map(({ name, value }) => [name, toValue(value)]))
    return { ...arm, name: `${arm.name} #${set.slice(0, DIGITS)}` }
  })
}
