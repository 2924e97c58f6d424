/** A line of a few dozen values without axes, for a row of a table. Decoration: the numbers stand beside it. */
const WIDTH = 96
const HEIGHT = 22

export const Sparkline = ({ values }: { values: ReadonlyArray<number | null> }) => {
  const present = values.flatMap((value, i) => (value === null ? [] : [[i, value] as const]))
  if (present.length < 2) return null
  const [low, high] = [Math.min(...present.map(([, v]) => v)), Math.max(...present.map(([, v]) => v))]
  const x = (i: number): string => ((i / (values.length - 1)) * (WIDTH - 2) + 1).toFixed(1)
  const y = (v: number): string => (HEIGHT - 2 - ((v - low) / (high - low || 1)) * (HEIGHT - 4)).toFixed(1)
  return (
    <svg class="sparkline" width={WIDTH} height={HEIGHT} aria-hidden="true">
      <polyline points={present.map(([i, v]) => `${x(i)},${y(v)}`).join(" ")} />
    </svg>
  )
}
