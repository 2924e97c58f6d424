/** `punctuation:` signs that must not appear. */
import { instruction, None } from "./Instruction.ts"

/** There is no comma. Other scripts' commas are other signs. */
export const noComma = instruction("punctuation:no_comma", None, () => (response) => !response.includes(","))

export const punctuation = [noComma]
