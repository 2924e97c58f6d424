/**
 * Which samples of a profile are asked next. With an early rule questions are asked in rounds, up to the next count at which the rule could drop
 * them; kept ones are completed to n.
 */
import { decideEarly, type EarlyRule } from "@gradus/curriculum/EarlyDecision"
import type { AnswerRecord } from "./AnswerRecord.ts"
import { AskQueue } from "./AskQueue.ts"
import { type QuestionCounts as Counts, SampleCounts, type SampleSums } from "./SampleCounts.ts"

export interface QuestionCounts extends Counts {
  /** Dropped before all samples were asked. */
  readonly early: boolean
}

export interface TallyOptions {
  readonly questions: number
  readonly samples: number
  /** A sample passes when its value is at least this. */
  readonly passMark: number
  readonly early?: EarlyRule | undefined
  /** Whether only consecutive samples may be asked for at once, since sample k has the seed base + k. */
  readonly consecutive: boolean
}

export interface Totals extends SampleSums {
  /** Samples that an early rule will not ask. */
  readonly spared: number
}

/** Begins with nothing known. Mutable; between two calls of its methods nobody else takes from it. */
export class Tally {
  readonly #counts: SampleCounts
  readonly #queue: AskQueue
  readonly #early: EarlyRule | undefined
  readonly #consecutive: boolean
  /** Samples of each question that are wanted by now. */
  readonly #wanted: Uint16Array
  readonly #done: Uint8Array
  #open: number
  #spared = 0

  constructor({ consecutive, early, passMark, questions, samples }: TallyOptions) {
    this.#counts = new SampleCounts(questions, samples, passMark)
    this.#queue = new AskQueue(questions)
    this.#early = early
    this.#consecutive = consecutive
    this.#wanted = new Uint16Array(questions)
    this.#done = new Uint8Array(questions)
    this.#open = questions
  }

  /** Takes a stored answer; says whether it changed anything. */
  settle(record: AnswerRecord): boolean {
    return this.#counts.settle(record)
  }

  /** Opens failed samples again, so that they are asked once more. */
  reopenFailed(): void {
    this.#counts.reopenFailed()
  }

  /** Begins: to be called once, after what is stored has been settled. */
  begin(): void {
    for (let question = 0; question < this.#counts.questions; question++) this.advance(question)
  }

  /** Decides how a question goes on once all that was wanted of it is settled. */
  advance(question: number): void {
    const { samples } = this.#counts
    const settled = this.#counts.of("settled", question)
    if (this.#done[question] === 1 || settled < (this.#wanted[question] ?? 0)) return
    if (settled >= samples || this.#isDropped(question)) {
      this.#done[question] = 1
      this.#open--
      this.#spared += samples - settled
      return
    }
    this.#wanted[question] = this.#nextStop(question)
    this.#queue.add(question)
  }

  /** Samples up to which a question is asked now: the next count at which it could be dropped. */
  #nextStop(question: number): number {
    const { samples } = this.#counts
    if (this.#early === undefined) return samples
    const settled = this.#counts.of("settled", question)
    const scored = this.#counts.of("scored", question)
    const passed = this.#counts.of("passed", question)
    for (let more = 1; settled + more < samples; more++) {
      const best = decideEarly(passed + more, scored + more, this.#early)
      const worst = decideEarly(passed, scored + more, this.#early)
      if (best === "drop_easy" || worst === "drop_hard") return settled + more
    }
    return samples
  }

  #isDropped(question: number): boolean {
    const scored = this.#counts.of("scored", question)
    if (this.#early === undefined || scored === 0) return false
    return decideEarly(this.#counts.of("passed", question), scored, this.#early).startsWith("drop")
  }

  #openOf(question: number, limit: number): ReadonlyArray<number> {
    return this.#counts.open(question, this.#wanted[question] ?? 0, limit, this.#consecutive)
  }

  /** Takes samples of one question, at most `limit`; undefined while there is nothing to ask. */
  take(limit: number): { readonly question: number; readonly ks: ReadonlyArray<number> } | undefined {
    for (let question = this.#queue.first(); question !== undefined; question = this.#queue.first()) {
      const ks = this.#openOf(question, limit)
      this.#counts.ask(question, ks)
      if (ks.length === 0 || this.#openOf(question, 1).length === 0) this.#queue.drop()
      if (ks.length > 0) return { question, ks }
    }
    return undefined
  }

  /** Puts samples back that did not come. */
  giveBack(question: number, ks: ReadonlyArray<number>): void {
    this.#counts.giveBack(question, ks)
    this.#queue.add(question)
  }

  /** How many questions wait to be asked. */
  available(): number {
    return this.#queue.length
  }

  finished(): boolean {
    return this.#open === 0
  }

  totals(): Totals {
    return { ...this.#counts.sums(), spared: this.#spared }
  }

  countsOf(question: number): QuestionCounts {
    const counts = this.#counts.countsOf(question)
    return { ...counts, early: this.#done[question] === 1 && counts.asked < this.#counts.samples }
  }
}
