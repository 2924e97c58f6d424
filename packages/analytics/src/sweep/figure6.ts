/**
 * What Fig. 6 of the Llama-Nemotron paper (arXiv 2505.00949 v5) shows, as it was read off its vector paths: accuracy on GPQA-Diamond of the
 * curriculum and of a random order of the same questions, one run each. Means over windows of steps, and the two values of step 200; no other
 * point of the figure is known here.
 */

export interface PaperWindow {
  readonly from: number
  readonly to: number
  readonly curriculum: number
  readonly random: number
}

export const figure6: ReadonlyArray<PaperWindow> = [
  { from: 50, to: 100, curriculum: 0.657, random: 0.629 },
  { from: 100, to: 150, curriculum: 0.68, random: 0.659 },
  { from: 150, to: 200, curriculum: 0.697, random: 0.672 }
]

export const figure6Last = { step: 200, curriculum: 0.722, random: 0.64 } as const
