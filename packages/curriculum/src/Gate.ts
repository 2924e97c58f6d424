/**
 * An admission gate with refill (DAPO's dynamic sampling, Yu et al. 2025, arXiv 2503.14476): groups whose pass rate teaches nothing are
 * rejected and other questions are asked until the batch is full. Every completion that was generated is counted, those of rejected groups
 * too: a comparison at equal steps hides what the refill costs. With the band [.2, .8] it is the balanced online filter of Bae et al. 2025.
 */
import * as Schema from "effect/Schema"
import type { Outcome } from "./Batcher.ts"

export const GateState = Schema.Struct({
  /** Groups that a batch needs. */
  wanted: Schema.Int,
  low: Schema.Finite,
  high: Schema.Finite,
  /** Whether rates equal to low or high are admitted. */
  inclusive: Schema.Boolean,
  /** Rounds of questions that may be asked for one batch. */
  maxRounds: Schema.Int,
  rounds: Schema.Int,
  admitted: Schema.Array(Schema.String),
  /** Completions generated for this batch. */
  generated: Schema.Int,
  rejectedLow: Schema.Int,
  rejectedHigh: Schema.Int,
  unscored: Schema.Int,
  surplus: Schema.Int
})
export type GateState = typeof GateState.Type

export interface GateOptions {
  readonly promptsPerStep: number
  /** Rates that are admitted lie between these; absent: 0 and 1, exclusive, which is DAPO's. */
  readonly low?: number | undefined
  readonly high?: number | undefined
  readonly inclusive?: boolean | undefined
  /** Absent: 10. A batch that is not full then is trained on as it is, and counted as short. */
  readonly maxRounds?: number | undefined
}

/** What became of each question of a round; every question is in exactly one list. */
export interface Admission {
  readonly admitted: ReadonlyArray<string>
  /** Spent: their groups are all wrong or all right (or outside of the band). */
  readonly rejected: ReadonlyArray<string>
  /** To be put back into their pools: no group could be scored, or the batch was full before them. */
  readonly returned: ReadonlyArray<string>
}

export interface Group extends Outcome {
  /** Completions that were generated, scored or not. */
  readonly generated: number
}

/** Opens the gate for a batch. */
export const open = ({ high, inclusive, low, maxRounds, promptsPerStep }: GateOptions): GateState => ({
  wanted: promptsPerStep,
  low: low ?? 0,
  high: high ?? 1,
  inclusive: inclusive ?? false,
  maxRounds: maxRounds ?? 10,
  rounds: 0,
  admitted: [],
  generated: 0,
  rejectedLow: 0,
  rejectedHigh: 0,
  unscored: 0,
  surplus: 0
})

/** Counts the questions to ask next: what is missing; 0 when the batch is full or the rounds are used up. */
export const missing = (state: GateState): number =>
  state.rounds >= state.maxRounds ? 0 : state.wanted - state.admitted.length

type Side = "in" | "low" | "high"

const sideOf = ({ high, inclusive, low }: Pick<GateState, "low" | "high" | "inclusive">, rate: number): Side => {
  if (inclusive ? rate < low : rate <= low) return "low"
  return (inclusive ? rate > high : rate >= high) ? "high" : "in"
}

/** Tells whether a group with this pass rate is trained on while the batch is not full. */
export const lets = (band: Pick<GateState, "low" | "high" | "inclusive">, rate: number): boolean =>
  sideOf(band, rate) === "in"

/** Admits a round's groups in the order given. */
export const admit = (state: GateState, groups: ReadonlyArray<Group>): readonly [Admission, GateState] => {
  const admitted: Array<string> = []
  const rejected: Array<string> = []
  const returned: Array<string> = []
  const next = { ...state, rounds: state.rounds + 1 }
  const count = (key: "rejectedLow" | "rejectedHigh" | "unscored" | "surplus"): number => (next[key] += 1)
  for (const { generated, passed, question_id, scored } of groups) {
    next.generated += generated
    const side = scored === 0 ? undefined : sideOf(state, passed / scored)
    if (side === undefined) {
      count("unscored")
      returned.push(question_id)
    } else if (side !== "in") {
      count(side === "low" ? "rejectedLow" : "rejectedHigh")
      rejected.push(question_id)
    } else if (state.admitted.length + admitted.length < state.wanted) {
      admitted.push(question_id)
    } else {
      count("surplus")
      returned.push(question_id)
    }
  }
  return [
    { admitted, rejected, returned },
    { ...next, admitted: [...state.admitted, ...admitted] }
  ]
}

/** Tells what the batch cost, by name: `curriculum/admission_rate` is admitted groups over all that were generated for. */
export const metrics = (state: GateState): Readonly<Record<string, number>> => {
  const { admitted, generated, rejectedHigh, rejectedLow, rounds, surplus, unscored, wanted } = state
  const groups = admitted.length + rejectedLow + rejectedHigh + unscored + surplus
  return {
    "curriculum/admission_rate": groups === 0 ? 1 : admitted.length / groups,
    "curriculum/generated": generated,
    "curriculum/rounds": rounds,
    "curriculum/rejected_low": rejectedLow,
    "curriculum/rejected_high": rejectedHigh,
    "curriculum/gate_unscored": unscored,
    "curriculum/surplus": surplus,
    "curriculum/short": wanted - admitted.length
  }
}
