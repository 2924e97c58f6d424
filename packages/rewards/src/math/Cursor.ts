/** A place in a list of tokens that only moves forward: what the parser reads through. */
import { MAX_DEPTH, refuse } from "./Limits.ts"
import type { Token } from "./Tokens.ts"

export class Cursor {
  #at = 0
  #depth = 0
  readonly #tokens: ReadonlyArray<Token>

  constructor(tokens: ReadonlyArray<Token>) {
    this.#tokens = tokens
  }

  /** The token at this place, or `ahead` places further; undefined past the end. */
  peek(ahead = 0): Token | undefined {
    return this.#tokens[this.#at + ahead]
  }

  next(): Token {
    return this.#tokens[this.#at++] ?? refuse("ends too early")
  }

  is(text: string, ahead = 0): boolean {
    const token = this.peek(ahead)
    return token !== undefined && (token.kind === "sign" || token.kind === "command") && token.text === text
  }

  /** Steps over a sign or command if it stands here. */
  take(text: string): boolean {
    const found = this.is(text)
    if (found) this.#at++
    return found
  }

  expect(text: string): void {
    if (!this.take(text)) refuse(`no ${text}`)
  }

  /** The tokens from here to the end. */
  rest(): ReadonlyArray<Token> {
    return this.#tokens.slice(this.#at)
  }

  /** Runs `read` one level deeper; refuses past the depth limit. */
  deeper<A>(read: () => A): A {
    if (++this.#depth > MAX_DEPTH) refuse("too deep")
    const result = read()
    this.#depth--
    return result
  }
}
