/** What came of every sample of a profile: a byte a sample and some numbers a question, whatever the texts are long. */
import type { AnswerRecord } from "./AnswerRecord.ts"

const OPEN = 0
const ASKED = 1
const SCORED = 2
const UNSCORED = 3
const FAILED = 4

const COUNTED = ["settled", "scored", "passed", "failed", "truncated", "empty", "uncounted"] as const
type Counted = (typeof COUNTED)[number]

/** What came for a question. Counts are of samples. */
export interface QuestionCounts {
  readonly asked: number
  readonly scored: number
  readonly passed: number
  readonly failed: number
  readonly truncated: number
  readonly empty: number
  /** Samples with a completion. */
  readonly completions: number
  readonly prompt_tokens: number
  readonly completion_tokens: number
  /** Completions whose tokens the server did not count. */
  readonly uncounted: number
}

export interface SampleSums extends Readonly<Record<Counted, number>> {
  readonly prompt_tokens: number
  readonly completion_tokens: number
}

const at = (values: Uint16Array | Uint8Array | Float64Array, i: number): number => values[i] ?? 0

const zeros = (): Record<Counted, number> => ({
  settled: 0,
  scored: 0,
  passed: 0,
  failed: 0,
  truncated: 0,
  empty: 0,
  uncounted: 0
})

/** Counts of `questions` x `samples` samples. Mutable; every method but `sums` is constant in the number of questions, or says so. */
export class SampleCounts {
  readonly questions: number
  readonly samples: number
  /** A sample passes when its value is at least this. */
  readonly passMark: number
  readonly #states: Uint8Array
  readonly #counts: Readonly<Record<Counted, Uint16Array>>
  readonly #sums = zeros()
  readonly #prompt: Float64Array
  readonly #completion: Float64Array
  #tokens = { prompt: 0, completion: 0 }

  constructor(questions: number, samples: number, passMark: number) {
    this.questions = questions
    this.samples = samples
    this.passMark = passMark
    this.#states = new Uint8Array(questions * samples)
    this.#counts = Object.fromEntries(COUNTED.map((name) => [name, new Uint16Array(questions)])) as Record<
      Counted,
      Uint16Array
    >
    this.#prompt = new Float64Array(questions)
    this.#completion = new Float64Array(questions)
  }

  of(name: Counted, question: number): number {
    return at(this.#counts[name], question)
  }

  #add(name: Counted, question: number, count = 1): void {
    this.#counts[name][question] = this.of(name, question) + count
    this.#sums[name] += count
  }

  /** Takes a stored answer; says whether it changed anything. A sample that is settled stays as it is, but a failure is replaced by what came later. */
  settle(record: AnswerRecord): boolean {
    const { k, question } = record
    if (question >= this.questions || k >= this.samples) return false
    const place = question * this.samples + k
    const before = at(this.#states, place)
    if (before === SCORED || before === UNSCORED || (before === FAILED && record.failed)) return false
    if (before === FAILED) this.#add("failed", question, -1)
    else this.#add("settled", question)
    this.#states[place] = record.failed ? FAILED : record.value === null ? UNSCORED : SCORED
    if (record.failed) this.#add("failed", question)
    else this.#completed(record)
    return true
  }

  #completed({ completion_tokens, empty, prompt_tokens, question, truncated, value }: AnswerRecord): void {
    if (value !== null) this.#add("scored", question)
    if (value !== null && value >= this.passMark) this.#add("passed", question)
    if (truncated) this.#add("truncated", question)
    if (empty) this.#add("empty", question)
    if (completion_tokens === null) this.#add("uncounted", question)
    this.#prompt[question] = at(this.#prompt, question) + (prompt_tokens ?? 0)
    this.#completion[question] = at(this.#completion, question) + (completion_tokens ?? 0)
    this.#tokens.prompt += prompt_tokens ?? 0
    this.#tokens.completion += completion_tokens ?? 0
  }

  /** Opens failed samples again, so that they are asked once more. Looks at all samples. */
  reopenFailed(): void {
    for (let place = 0; place < this.#states.length; place++) {
      if (at(this.#states, place) !== FAILED) continue
      const question = Math.floor(place / this.samples)
      this.#states[place] = OPEN
      this.#add("failed", question, -1)
      this.#add("settled", question, -1)
    }
  }

  /** Lists open samples of a question, at most `limit`, so that no more than `wanted` are settled or on their way. */
  open(question: number, wanted: number, limit: number, consecutive: boolean): ReadonlyArray<number> {
    const states = this.#states.subarray(question * this.samples, (question + 1) * this.samples)
    const ks: Array<number> = []
    let room = wanted - this.of("settled", question)
    for (const state of states) if (state === ASKED) room--
    for (let k = 0; k < this.samples && ks.length < Math.min(limit, room); k++) {
      if (at(states, k) === OPEN) ks.push(k)
      else if (consecutive && ks.length > 0) break
    }
    return ks
  }

  /** Marks open samples as on their way. */
  ask(question: number, ks: ReadonlyArray<number>): void {
    for (const k of ks) this.#states[question * this.samples + k] = ASKED
  }

  /** Opens samples again that were on their way. */
  giveBack(question: number, ks: ReadonlyArray<number>): void {
    for (const k of ks) {
      const place = question * this.samples + k
      if (at(this.#states, place) === ASKED) this.#states[place] = OPEN
    }
  }

  sums(): SampleSums {
    return { ...this.#sums, prompt_tokens: this.#tokens.prompt, completion_tokens: this.#tokens.completion }
  }

  countsOf(question: number): QuestionCounts {
    const [asked, failed] = [this.of("settled", question), this.of("failed", question)]
    return {
      asked,
      scored: this.of("scored", question),
      passed: this.of("passed", question),
      failed,
      truncated: this.of("truncated", question),
      empty: this.of("empty", question),
      completions: asked - failed,
      prompt_tokens: at(this.#prompt, question),
      completion_tokens: at(this.#completion, question),
      uncounted: this.of("uncounted", question)
    }
  }
}
