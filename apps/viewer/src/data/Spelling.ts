/** What tokens say, and where in a completion's text they stand. */
import type { Manifest } from "@gradus/domain/manifest/Manifest"

/** Spells a token; undefined for one that only the policy's own tokenizer can. */
export type Spell = (id: number) => string | undefined

/** Spells tokens where the manifest says how: one token a character. The tokenizer of other policies is not among a run's files. */
export const spelling = ({ policy }: Pick<Manifest, "policy">): Spell => {
  if (policy.kind !== "init") return () => undefined
  const { characters, end, pad, tokens } = policy.tokenizer
  const vocabulary = [pad, end, ...tokens, ...characters]
  return (id) => vocabulary[id]
}

/**
 * Cuts a text into the part of each token, in order; a token that the text leaves out (the end of the sequence) has the empty part.
 * Undefined where the tokens do not spell the text: then nobody can say where each of them stands.
 */
export const partsOf = (text: string, ids: ReadonlyArray<number>, spell: Spell): ReadonlyArray<string> | undefined => {
  const parts: Array<string> = []
  let at = 0
  for (const id of ids) {
    const said = spell(id)
    if (said === undefined) return undefined
    const part = text.startsWith(said, at) ? said : ""
    parts.push(part)
    at += part.length
  }
  return at === text.length ? parts : undefined
}
