/** Groups that teach nothing: with binary rewards and a group baseline all-right and all-wrong groups have no advantage. */

/** Computes the probability p^G + (1 - p)^G that a group of G samples at pass rate p teaches nothing (paper, section 2). */
export const groupSilence = (rate: number, samples: number): number => rate ** samples + (1 - rate) ** samples
