/** Questions that wait to be asked, each once, first come, first served. */

/** So many places may lie empty at its front before the list is cut. */
const EMPTY_PLACES = 4096

export class AskQueue {
  readonly #queued: Uint8Array
  #list: Array<number> = []
  #head = 0

  constructor(questions: number) {
    this.#queued = new Uint8Array(questions)
  }

  get length(): number {
    return this.#list.length - this.#head
  }

  /** The first question; undefined where none waits. */
  first(): number | undefined {
    return this.#list[this.#head]
  }

  /** Takes the first question out. */
  drop(): void {
    this.#queued[this.#list[this.#head] ?? 0] = 0
    this.#head++
    if (this.#head > EMPTY_PLACES && this.#head * 2 > this.#list.length) {
      this.#list = this.#list.slice(this.#head)
      this.#head = 0
    }
  }

  /** Puts a question at the end unless it waits already. */
  add(question: number): void {
    if (this.#queued[question] === 1) return
    this.#queued[question] = 1
    this.#list.push(question)
  }
}
