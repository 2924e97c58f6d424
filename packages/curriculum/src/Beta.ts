/**
 * The Beta distribution: its distribution function (regularised incomplete beta) and its inverse.
 * Written here because neither Effect nor simple-statistics has either.
 */

const lanczos = [
  676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
  -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7
]

/** Computes ln Γ(x) for x > 0 (Lanczos, g = 7, n = 9; relative error about 1e-15). */
export const logGamma = (x: number): number => {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x)
  const t = x + 6.5
  const sum = lanczos.reduce((total, c, i) => total + c / (x + i), 0.99999999999980993)
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum)
}

const away = (x: number): number => (Math.abs(x) < 1e-300 ? 1e-300 : x)

/** Evaluates the continued fraction of the incomplete beta by Lentz's method (NIST DLMF 8.17.22). */
const continuedFraction = (a: number, b: number, x: number): number => {
  let c = 1
  let d = 1 / away(1 - ((a + b) * x) / (a + 1))
  let h = d
  for (let m = 1; m <= 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / away(1 + even * d)
    c = away(1 + even / c)
    h *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / away(1 + odd * d)
    c = away(1 + odd / c)
    h *= d * c
    if (Math.abs(d * c - 1) < 1e-15) break
  }
  return h
}

/** Computes P(X <= x) for X ~ Beta(a, b): the regularised incomplete beta function I_x(a, b), a, b > 0. */
export const cumulative = (a: number, b: number, x: number): number => {
  if (x <= 0) return 0
  if (x >= 1) return 1
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x))
  return x < (a + 1) / (a + b + 2)
    ? (front * continuedFraction(a, b, x)) / a
    : 1 - (front * continuedFraction(b, a, 1 - x)) / b
}

/** Finds the x with P(X <= x) = probability for X ~ Beta(a, b), by bisection to the last bit that it resolves. */
export const quantile = (a: number, b: number, probability: number): number => {
  if (probability <= 0) return 0
  if (probability >= 1) return 1
  let low = 0
  let high = 1
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if (cumulative(a, b, middle) < probability) low = middle
    else high = middle
  }
  return (low + high) / 2
}
