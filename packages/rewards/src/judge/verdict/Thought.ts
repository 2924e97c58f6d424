/** The thought of a judge that thinks aloud, where its server does not part it from the reply. */

const OPEN = "<think>"
const CLOSE = "</think>"

/** Takes what stands after the last `</think>`; null where a reply begins with a thought and was cut inside it. */
export const withoutThought = (reply: string): string | null => {
  const close = reply.lastIndexOf(CLOSE)
  if (close >= 0) return reply.slice(close + CLOSE.length)
  return reply.trimStart().startsWith(OPEN) ? null : reply
}
