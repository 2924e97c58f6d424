/**
 * The sorting task: put distinct letters in alphabetical order. Small enough for a model of 0.3 M parameters on two cores,
 * and wide enough (26! / (26 - n)! lists of n letters) that no answer can be guessed.
 */
import type { SortingQuestions } from "@gradus/domain/manifest/Questions"
import type { Question, Thinking } from "@gradus/domain/Question"
import type { Stream } from "@gradus/domain/Seed"
import * as Seed from "@gradus/domain/Seed"
import * as Effect from "effect/Effect"
import { QuestionSpaceExhausted } from "../DatasetErrors.ts"
import { drawDistinct, drawNew } from "../Distinct.ts"
import { questionId, type Task } from "../Task.ts"
import { sloppyCompletion } from "./SloppyTeacher.ts"

type Draft = Omit<Question, "question_id">

const alphabet = "abcdefghijklmnopqrstuvwxyz"

/** The answer: the letters in alphabetical order. */
export const sorted = (letters: string): string => [...letters].toSorted().join("")

const drawLetters = (stream: Stream, count: number): string => {
  const letters = [...alphabet]
  for (let i = 0; i < count; i++) {
    const j = i + stream.below(letters.length - i)
    const held = letters[i] ?? ""
    letters[i] = letters[j] ?? ""
    letters[j] = held
  }
  return letters.slice(0, count).join("")
}

const draftOf = (letters: string, thinking: Thinking): Draft => ({
  question: letters,
  gold: sorted(letters),
  thinking,
  level: String(letters.length)
})

const ordinary = (spec: SortingQuestions, stream: Stream) => (): Draft => {
  const thinking = stream.next() < spec.off_share ? "off" : "on"
  const { max, min } = spec.letters
  return draftOf(drawLetters(stream, min + stream.below(max - min + 1)), thinking)
}

/** Hard lists are always asked with thinking on; their lengths are drawn uniformly from those listed. */
const hard = (spec: SortingQuestions, stream: Stream) => (): Draft =>
  draftOf(drawLetters(stream, spec.hard_letters[stream.below(spec.hard_letters.length)] ?? 0), "on")

const drawSet = (
  set: "heldout" | "hard" | "train",
  count: number,
  spec: SortingQuestions,
  seed: Seed.Seed,
  seen: Set<string>
): Effect.Effect<ReadonlyArray<Question>, QuestionSpaceExhausted> => {
  const stream = Seed.stream(Seed.child(seed, "sorting", set))
  const lengths = set === "hard" ? spec.hard_letters.join(", ") : `${spec.letters.min} to ${spec.letters.max}`
  if (spec.letters.min > spec.letters.max) {
    return Effect.fail(new QuestionSpaceExhausted({ task: "sorting", set, level: lengths, asked: count, found: 0 }))
  }
  const draw = (set === "hard" ? hard : ordinary)(spec, stream)
  return Effect.map(drawDistinct({ task: "sorting", set, level: `${lengths} letters`, count }, draw, seen), (drafts) =>
    drafts.map((draft, i): Question => ({ question_id: questionId(set, i), ...draft }))
  )
}

/** Makes sorting questions; the prompt template writes the mode before and `=` after the letters. */
export const sorting: Task<SortingQuestions> = {
  sets: Effect.fnUntraced(function* (spec, seed) {
    const seen = new Set<string>()
    const heldout = yield* drawSet("heldout", spec.heldout, spec, seed, seen)
    const difficult = yield* drawSet("hard", spec.hard, spec, seed, seen)
    const train = yield* drawSet("train", spec.train, spec, seed, seen)
    return { train, evaluation: { heldout, hard: difficult } }
  }),

  worked: (spec, seed, index, exclude) => {
    const stream = Seed.stream(Seed.child(seed, "sorting", "warmup", index))
    const draft = drawNew(ordinary(spec, stream), ({ question }) => !exclude.has(question))
    if (draft === undefined) {
      const level = `${spec.letters.min} to ${spec.letters.max} letters`
      return Effect.fail(new QuestionSpaceExhausted({ task: "sorting", set: "warmup", level, asked: 1, found: 0 }))
    }
    const completion = sloppyCompletion(draft.gold, draft.thinking, spec.teacher, stream)
    return Effect.succeed({ question_id: questionId("warmup", index), ...draft, completion })
  }
}
