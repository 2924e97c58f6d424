/** How large a manifest may be: each limit is far above any real manifest, and keeps a refusal under 100 ms. */

/** Bytes of a file, or UTF-16 units of a text. */
export const maxBytes = 1 << 20
/** Maps and lists inside one another. */
export const maxDepth = 64
/** Lines of a text. */
export const maxLines = 20_000
/** Lexical tokens of a text. */
export const maxTokens = 20_000
/** Values after aliases are replaced by what they stand for. */
export const maxValues = 10_000
/** Files in a chain of `extends`, one after another. */
export const maxChain = 16
/** Files read for one manifest. */
export const maxFiles = 64
