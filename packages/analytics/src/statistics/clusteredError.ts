/** Standard errors of samples that come in clusters: several of one question, several questions of one text (Miller 2024, arXiv 2411.00640, equation 4). */

export interface Clustered {
  readonly mean: number
  /** Square root of the sum over clusters of the squared sum of residuals, over n. */
  readonly standardError: number
  readonly samples: number
  readonly clusters: number
}

/** Computes mean and cluster-robust standard error of values by cluster; null without values. With one value a cluster it is the usual error with ddof 0. */
export const clusteredError = (clusters: ReadonlyArray<ReadonlyArray<number>>): Clustered | null => {
  const values = clusters.flat()
  if (values.length === 0) return null
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = clusters.reduce((sum, own) => sum + own.reduce((part, value) => part + value - mean, 0) ** 2, 0)
  return {
    mean,
    standardError: Math.sqrt(squares) / values.length,
    samples: values.length,
    clusters: clusters.filter((own) => own.length > 0).length
  }
}
