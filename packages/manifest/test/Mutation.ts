/** Seeded damage to a text, as typos, bad merges and torn files do it. */
import * as Seed from "@gradus/domain/Seed"

const shards = [
  "",
  " ",
  "\n",
  "  ",
  ":",
  ": ",
  "- ",
  "[",
  "]",
  "{",
  "}",
  ",",
  '"',
  "'",
  "#",
  "&a ",
  "*a",
  "!!x ",
  "|",
  ">",
  "%",
  "\t",
  "\0",
  "\ufeff",
  "\ud800",
  "é",
  "😀",
  "-1",
  "1e999",
  "99999999999999999999",
  "null",
  "true",
  "~",
  "__proto__: 1\n",
  "<<: 1\n",
  "---\n",
  "${X}",
  "0x1F",
  ".nan"
]

type Damage = (text: string, stream: Seed.Stream) => string

const cut: Damage = (text, { below }) => {
  const at = below(text.length)
  return text.slice(0, at) + text.slice(at + 1 + below(6))
}
const insert: Damage = (text, { below }) => {
  const at = below(text.length)
  return text.slice(0, at) + shards[below(shards.length)]! + text.slice(at)
}
const swap: Damage = (text, { below }) => {
  const at = below(text.length - 1)
  return text.slice(0, at) + text[at + 1]! + text[at]! + text.slice(at + 2)
}
const repeatLine: Damage = (text, { below }) => {
  const lines = text.split("\n")
  lines.splice(below(lines.length), 0, lines[below(lines.length)]!)
  return lines.join("\n")
}
const replaceValue: Damage = (text, { below }) => {
  const values = [...text.matchAll(/(?<=: )[\w.]+/g)]
  const { 0: value, index } = values[below(values.length)]!
  return text.slice(0, index) + shards[below(shards.length)]! + text.slice(index + value.length)
}
const truncate: Damage = (text, { below }) => text.slice(0, below(text.length))

const damages = [cut, insert, swap, repeatLine, replaceValue, truncate]

/** Damages a text once or twice; the same number gives the same text. */
export const mutated = (text: string, n: number): string => {
  const stream = Seed.stream(Seed.child(Seed.root(20), "mutation", n))
  const times = 1 + stream.below(2)
  return Array.from({ length: times }).reduce<string>(
    (damaged) => (damaged.length < 40 ? text : damages[stream.below(damages.length)]!(damaged, stream)),
    text
  )
}
