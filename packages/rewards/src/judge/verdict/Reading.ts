/** What a verdict rule reads from a reply: the rule's own label and the share of right that it means, or nothing that can be read. */

export interface Read {
  /** The rule's own label: `yes`, `C`, `A>B`, or the object that a JSON rule found. */
  readonly label: unknown
  /** In [0, 1]; null where the label is not about right and wrong (a preference). */
  readonly value: number | null
}
export type Reading = Read | "unreadable"

/** What a rule must be told beside the reply. */
export interface VerdictOptions {
  /** Labels of `choice_last`, best first. */
  readonly choices?: ReadonlyArray<string> | undefined
  /** Weights of `rubric_json` by name. */
  readonly criteria?: Readonly<Record<string, number>> | undefined
  /** Whether `GRADE_last` knows P, half right. */
  readonly partialCredit?: boolean | undefined
}

export type VerdictReader = (reply: string, options: VerdictOptions) => Reading

/** The reading of a yes or a no. */
export const yesOrNo = (said: "yes" | "no"): Read => ({ label: said, value: said === "yes" ? 1 : 0 })
