/** What of a judge decides its verdicts. Where it is, whose money it spends, how fast and how patiently it is asked, and how it is checked do not. Pure. */
import type { JudgeSpec } from "@gradus/domain/manifest/Rewards"

/** Names the keys that count, so that one which is added to the manifest later changes no profile until somebody says that it does. */
export const judgeIdentity = (judge: JudgeSpec | undefined) =>
  judge === undefined
    ? null
    : {
        model: judge.model,
        panel: judge.panel.map(({ model }) => model),
        temperature: judge.temperature,
        max_tokens: judge.max_tokens,
        verdict: judge.verdict,
        truth: judge.truth,
        structured: judge.structured,
        answer_characters: judge.answer_characters,
        swap: judge.swap,
        repeats: judge.repeats
      }
