/** Values: the shapes that an answer can have. */
import type { Expression } from "./Expression.ts"

export type Relation = "=" | "<" | ">" | "le" | "ge" | "ne" | "in" | "equiv" | "approx"

export type Value =
  /** A formula or number, with the unit that was written after it ("" for none). */
  | { readonly kind: "quantity"; readonly expression: Expression; readonly unit: string }
  | { readonly kind: "relation"; readonly operators: ReadonlyArray<Relation>; readonly sides: ReadonlyArray<Value> }
  /** Several answers beside each other; `or` when an "or" stands between them. */
  | { readonly kind: "list"; readonly items: ReadonlyArray<Value>; readonly or: boolean }
  | { readonly kind: "set"; readonly items: ReadonlyArray<Value> }
  /** A tuple, vector or interval: in this notation they look alike. */
  | {
      readonly kind: "bracket"
      readonly open: "(" | "["
      readonly close: ")" | "]"
      readonly items: ReadonlyArray<Value>
    }
  | { readonly kind: "union"; readonly parts: ReadonlyArray<Value> }
  /** A set without the elements of another. */
  | { readonly kind: "difference"; readonly of: Value; readonly without: Value }
  | { readonly kind: "matrix"; readonly rows: ReadonlyArray<ReadonlyArray<Expression>> }
  /** a : b : c, or a time of day. */
  | { readonly kind: "ratio"; readonly terms: ReadonlyArray<Expression>; readonly clock: string | null }
  /** Words: equal only to the same words. */
  | { readonly kind: "text"; readonly text: string }

const WORDS = /^[\p{L}\p{M}\p{N}\s.,;:()[\]'"“”?!-]*$/u

/**
 * Writes words so that they can be compared: letters, digits and hyphens in lower case. A text with any sign of mathematics in it was to be a
 * formula: of it only white space is left out.
 */
export const plainWords = (text: string): string =>
  WORDS.test(text) ? text.toLowerCase().replaceAll(/[^\p{L}\p{M}\p{N}-]/gu, "") : text.replaceAll(/\s/g, "")
