/** Word problems of one to three steps: somebody has some things, gets some, gives some away. */
import type { Stream } from "@gradus/domain/Seed"
import type { Problem } from "./ArithmeticLevels.ts"

const people = ["Ada", "Ben", "Chloe", "Dev", "Elif", "Femi", "Greta", "Hugo", "Ines", "Jun"] as const
const things = ["apples", "marbles", "stamps", "pencils", "shells", "buttons", "cards", "stickers"] as const
const gains = ["buys", "finds", "is given", "collects"] as const
const losses = ["gives away", "loses", "sells", "lends out"] as const

const pick = <A>(stream: Stream, items: ReadonlyArray<A>, absent: A): A => items[stream.below(items.length)] ?? absent

/** Draws a story with `length` events; the count starts at 5 to 30, moves by 2 to 15 at a time and never goes below zero. */
export const drawStory = (stream: Stream, length: number): Problem => {
  const person = pick(stream, people, "Ada")
  const thing = pick(stream, things, "apples")
  let value = 5 + stream.below(26)
  const sentences = [`${person} has ${value} ${thing}.`]
  const steps: Array<string> = []
  for (let i = 0; i < length; i++) {
    const by = 2 + stream.below(14)
    const loses = stream.below(2) === 0 && value >= by
    const next = loses ? value - by : value + by
    const verb = loses ? pick(stream, losses, "loses") : pick(stream, gains, "finds")
    sentences.push(`${i === 0 ? "Then" : "Later"} ${person} ${verb} ${by} ${thing}.`)
    steps.push(`${value} ${loses ? "-" : "+"} ${by} = ${next}`)
    value = next
  }
  sentences.push(`How many ${thing} does ${person} have now?`)
  return { question: sentences.join(" "), steps, answer: value }
}
