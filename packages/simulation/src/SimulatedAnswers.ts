/** What a simulated policy says: texts that the real reward functions read, right or wrong as the model decides. */
import type { Question } from "@gradus/domain/Question"
import * as Seed from "@gradus/domain/Seed"

/** What the simulation knows of a question. */
export interface SimulatedQuestion {
  readonly gold: string
  readonly thinking: Question["thinking"]
  readonly difficulty: number
}

export interface DifficultyOptions {
  /** Difficulties are normal with this mean and standard deviation: at ability 0 the default gives pass rates over the whole range. */
  readonly mean?: number | undefined
  readonly deviation?: number | undefined
  readonly seed: Seed.Seed
}

/** Draws a standard normal number (Box-Muller). */
const normal = (stream: Seed.Stream): number =>
  Math.sqrt(-2 * Math.log(1 - stream.next())) * Math.cos(2 * Math.PI * stream.next())

/** Gives every question a difficulty that depends on its id and the seed alone. */
export const simulatedQuestions = (
  questions: Iterable<Question>,
  { deviation, mean, seed }: DifficultyOptions
): ReadonlyMap<string, SimulatedQuestion> => {
  const known = new Map<string, SimulatedQuestion>()
  for (const { gold, question_id, thinking } of questions) {
    const stream = Seed.stream(Seed.child(seed, "difficulty", question_id))
    known.set(question_id, { gold, thinking, difficulty: (mean ?? 0.5) + (deviation ?? 1.5) * normal(stream) })
  }
  return known
}

/** A wrong answer of the kind of the right one: another number for a number, else the text turned round or lengthened. */
const wrongFor = (gold: string, stream: Seed.Stream): string => {
  const number = Number(gold)
  if (gold.trim() !== "" && Number.isFinite(number)) return String(number + 1 + stream.below(9))
  const turned = [...gold].toReversed().join("")
  return turned === gold ? `${gold}${gold.at(-1) ?? "x"}` : turned
}

/** Writes a completion: thought and answer, in the format that the mode asks for or, with `broken`, in the other one. */
export const answerText = (
  question: SimulatedQuestion,
  right: boolean,
  broken: boolean,
  stream: Seed.Stream
): string => {
  const answer = right ? question.gold : wrongFor(question.gold, stream)
  return (question.thinking === "on") === broken ? answer : `<think>simulated</think>${answer}`
}

/** Tokens of the simulation are the UTF-16 units of the text; this one ends a completion. */
export const END_TOKEN = 0

/** Reads a text as tokens. */
export const tokensOf = (text: string): ReadonlyArray<number> =>
  Array.from({ length: text.length }, (_, i) => text.charCodeAt(i))

/** Reads tokens as a text; the end token is left out. */
export const textOf = (ids: ReadonlyArray<number>): string =>
  String.fromCharCode(...ids.filter((id) => id !== END_TOKEN))
