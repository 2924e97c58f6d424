/** A completion's text, coloured by the sampler's log-probabilities: the fainter the ground, the surer the policy was. */
import type { RolloutRow } from "@gradus/domain/RunRecord"
import type { UpdateRow } from "@gradus/domain/UpdateBatch"
import { partsOf, type Spell } from "../data/Spelling.ts"

/** Five steps of surprise: more than e^-0.1, e^-0.7, e^-1.6, e^-3 likely, or less. */
const LIMITS = [-0.1, -0.7, -1.6, -3]
const surprise = (logprob: number): number => {
  const found = LIMITS.findIndex((limit) => logprob > limit)
  return found < 0 ? LIMITS.length : found
}

interface Sampled {
  readonly id: number
  readonly logprob: number
}

/** The tokens that were sampled; those of the prompt are masked. */
const sampledOf = ({ loss_mask, rollout_logprob, token_ids }: UpdateRow): ReadonlyArray<Sampled> =>
  token_ids.flatMap((id, i) => (loss_mask[i] === 1 ? [{ id, logprob: rollout_logprob?.[i] ?? 0 }] : []))

const Token = ({ said, token: { id, logprob } }: { said?: string | undefined; token: Sampled }) => (
  <span
    class={`surprise${surprise(logprob)}`}
    title={`token ${id}, ${logprob.toFixed(3)} nats, p ${Math.exp(logprob).toFixed(3)}`}
  >
    {said}
  </span>
)

/** The tokens without their texts, in order: for a policy whose tokenizer is not among the run's files. */
const Strip = ({ tokens }: { tokens: ReadonlyArray<Sampled> }) => {
  const unlikely = tokens.filter(({ logprob }) => surprise(logprob) === LIMITS.length).length
  return (
    <div class="strip" role="img" aria-label={`${tokens.length} tokens in order, ${unlikely} of them surprising`}>
      {tokens.map((token, i) => (
        <Token key={i} token={token} />
      ))}
    </div>
  )
}

/** Completions are hostile text: they stand in text nodes and nowhere else. */
export const Tokens = ({ row, sent, spell }: { row: RolloutRow; sent: UpdateRow | undefined; spell: Spell }) => {
  const tokens = sent === undefined ? [] : sampledOf(sent)
  const parts = partsOf(
    row.text,
    tokens.map(({ id }) => id),
    spell
  )
  const inText = tokens.length > 0 && parts !== undefined
  return (
    <>
      <pre class="said">
        <bdi>{inText ? tokens.map((token, i) => <Token key={i} token={token} said={parts[i]} />) : row.text}</bdi>
        {row.finish_reason === "length" && <span class="cut"> ✂ cut here</span>}
      </pre>
      {sent === undefined && <p class="quiet">not trained on: its tokens were not sent</p>}
      {sent !== undefined && !inText && <Strip tokens={tokens} />}
    </>
  )
}
