/** The questions of an experiment, wherever the manifest says that they come from: made by a task, or read from files. */
import * as Digest from "@gradus/domain/Digest"
import type { FileQuestions, QuestionFile, QuestionsSpec } from "@gradus/domain/manifest/Questions"
import type { QuestionSets, WorkedExample } from "@gradus/domain/Question"
import * as Seed from "@gradus/domain/Seed"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { toQuestions, toWorkedExamples } from "../Columns.ts"
import type {
  DatasetRowInvalid,
  DatasetUnreadable,
  QuestionSetsOverlap,
  QuestionSpaceExhausted
} from "../DatasetErrors.ts"
import { checkDisjoint } from "../Overlap.ts"
import { type Task, textsOf } from "../Task.ts"
import { readRows } from "./Rows.ts"

export type QuestionsError = DatasetUnreadable | DatasetRowInvalid | QuestionSpaceExhausted | QuestionSetsOverlap

export interface LoadedQuestions {
  readonly sets: QuestionSets
  /** Of all questions of all sets, and of the warm-up file's examples where there is one. */
  readonly digest: Digest.Digest
  /** Gives the warm-up's example number `index` (from 0); null where nothing says what to imitate. */
  readonly workedExample: ((index: number) => Effect.Effect<WorkedExample, QuestionSpaceExhausted>) | null
}

const fromTask = Effect.fnUntraced(function* <Spec>(task: Task<Spec>, spec: Spec, seed: Seed.Seed) {
  const sets = yield* task.sets(spec, seed)
  yield* checkDisjoint(sets)
  const exclude = textsOf(sets)
  const loaded: LoadedQuestions = {
    sets,
    digest: Digest.ofJson(sets),
    workedExample: (index) => task.worked(spec, seed, index, exclude)
  }
  return loaded
})

/** Serves a file's examples pass after pass, each pass in its own seeded order. */
const inPasses = (examples: ReadonlyArray<WorkedExample>, seed: Seed.Seed): ((index: number) => WorkedExample) => {
  let held = { pass: -1, order: examples }
  return (index) => {
    const pass = Math.floor(index / examples.length)
    if (held.pass !== pass) {
      const stream = Seed.stream(Seed.child(seed, "warmup", "pass", pass))
      held = { pass, order: stream.shuffle([...examples]) }
    }
    // A file without rows was refused when it was read.
    return held.order[index % examples.length] as WorkedExample
  }
}

const fromFiles = Effect.fnUntraced(function* (spec: FileQuestions, seed: Seed.Seed, baseDirectory: string) {
  const path = yield* Path.Path
  const resolved = (file: QuestionFile): QuestionFile => ({ ...file, path: path.resolve(baseDirectory, file.path) })
  const setOf = Effect.fnUntraced(function* (set: string, file: QuestionFile) {
    const found = resolved(file)
    return yield* toQuestions(set, yield* readRows(found.path, found.limit), found)
  })
  const examplesOf = Effect.fnUntraced(function* (file: QuestionFile) {
    const found = resolved(file)
    return yield* toWorkedExamples(yield* readRows(found.path, found.limit), found)
  })
  const train = yield* setOf("train", spec.train)
  const evaluation = {
    ...(spec.heldout === undefined ? {} : { heldout: yield* setOf("heldout", spec.heldout) }),
    ...(spec.hard === undefined ? {} : { hard: yield* setOf("hard", spec.hard) })
  }
  const examples = spec.warmup === undefined ? [] : yield* examplesOf(spec.warmup)
  const sets: QuestionSets = { train, evaluation }
  yield* checkDisjoint(sets, examples)
  const serve = inPasses(examples, seed)
  const loaded: LoadedQuestions = {
    sets,
    digest: Digest.ofJson(examples.length === 0 ? sets : { ...sets, warmup: examples }),
    workedExample: examples.length === 0 ? null : (index) => Effect.sync(() => serve(index))
  }
  return loaded
})

/**
 * Loads the questions of an experiment and checks that no text is in two sets. `baseDirectory` is where the manifest lies;
 * paths of files are relative to it. The same spec, seed and files give the same questions, ids and digest.
 */
export const loadQuestions = Effect.fn("LoadQuestions.loadQuestions")(function* (
  spec: QuestionsSpec,
  seed: Seed.Seed,
  baseDirectory: string
): Effect.fn.Return<LoadedQuestions, QuestionsError, FileSystem.FileSystem | Path.Path> {
  switch (spec.kind) {
    case "files":
      return yield* fromFiles(spec, seed, baseDirectory)
    case "sorting": {
      const { sorting } = yield* Effect.promise(() => import("../tasks/Sorting.ts"))
      return yield* fromTask(sorting, spec, seed)
    }
    case "arithmetic": {
      const { arithmetic } = yield* Effect.promise(() => import("../tasks/Arithmetic.ts"))
      return yield* fromTask(arithmetic, spec, seed)
    }
  }
})
