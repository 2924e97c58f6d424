/** Prompts: the manifest's template around a question. */
import type { Question } from "@gradus/domain/Question"
import type { PromptSpec } from "@gradus/domain/manifest/Questions"

/** Renders a question: `{mode}` and `{question}` are replaced in one pass, so a question that contains a marker stays as it is. */
export const renderPrompt = (spec: PromptSpec, question: Pick<Question, "question" | "thinking">): string =>
  spec.template.replace(/\{(mode|question)\}/g, (_, name: string) =>
    name === "mode" ? spec.mode[question.thinking] : question.question
  )
