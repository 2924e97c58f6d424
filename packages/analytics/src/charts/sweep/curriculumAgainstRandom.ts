/** Chart: the curriculum against a random order of the same questions, as Fig. 6 of the Llama-Nemotron paper has it; beside it what is known of that figure. */
import { chartSpec, WIDTH } from "../../ChartStyle.ts"
import { ink } from "../../Palette.ts"
import { type BandPoint, curveBands } from "../../sweep/curveBands.ts"
import { figure6, figure6Last } from "../../sweep/figure6.ts"
import type { SweepChart } from "../../sweep/SweepChart.ts"
import type { SweepRecord } from "../../sweep/SweepRecord.ts"

const CURRICULUM = "curriculum"
const RANDOM = "random order"
const HEIGHT_OURS = 150
const HEIGHT_PAPER = 96
/** The rules by which the two orders are known. */
const RULES = { [CURRICULUM]: "gaussian", [RANDOM]: "uniform" } as const

interface Order {
  readonly order: string
  readonly arm: string
}

/** Finds the arm of each order: the baseline where it is one, else the first. */
const ordersOf = ({ arms, baseline, batchers = {} }: SweepRecord): ReadonlyArray<Order> =>
  [CURRICULUM, RANDOM].flatMap((order) => {
    const own = arms.filter((arm) => batchers[arm] === RULES[order as keyof typeof RULES])
    const arm = own.includes(baseline) ? baseline : own[0]
    return arm === undefined ? [] : [{ order, arm }]
  })

const accuracy = (low: number, high: number) => ({
  type: "quantitative",
  scale: { domain: [low, high] },
  axis: { format: "~%", tickCount: 4 }
})
const steps = (last: number, title: string) => ({
  type: "quantitative",
  scale: { domain: [0, last], nice: false },
  axis: { title, format: "d", tickMinStep: 1, tickCount: 8 }
})
const LEGEND = { symbolType: "stroke", symbolSize: 300 }
const SERIES = {
  color: {
    field: "order",
    type: "nominal",
    scale: { domain: [CURRICULUM, RANDOM], range: [ink.blue, ink.orange] },
    legend: LEGEND
  },
  strokeDash: {
    field: "order",
    type: "nominal",
    scale: {
      domain: [CURRICULUM, RANDOM],
      range: [
        [1, 0],
        [5, 3]
      ]
    },
    legend: LEGEND
  }
}

type Ours = BandPoint & Order

const ours = (record: SweepRecord, points: ReadonlyArray<Ours>) => {
  const values = points.flatMap(({ high, low, mean }) => [mean, low ?? mean, high ?? mean])
  const low = Math.floor(Math.min(...values) * 10) / 10
  const high = Math.max(Math.ceil(Math.max(...values) * 10) / 10, low + 0.1)
  const y = accuracy(low, high)
  const x = { field: "spent", ...steps(Math.max(...points.map(({ spent }) => spent)), "step") }
  const bounded = points.filter((point) => point.low !== null)
  const { color, strokeDash } = SERIES
  const lines = [
    {
      data: { values: points },
      mark: { type: "line", strokeWidth: 2.2, point: { filled: true, size: 14 } },
      encoding: { x, y: { field: "mean", ...y }, color, strokeDash }
    }
  ]
  const band = {
    data: { values: bounded },
    mark: { type: "area", opacity: 0.2, line: false },
    encoding: { x, y: { field: "low", ...y }, y2: { field: "high" }, color }
  }
  return {
    title: `here: accuracy of ${record.metric.set}, mean over seeds`,
    width: WIDTH,
    height: HEIGHT_OURS,
    layer: bounded.length === 0 ? lines : [band, ...lines]
  }
}

const paper = () => {
  const windows = figure6.flatMap(({ curriculum, from, random, to }) => [
    { from, to, order: CURRICULUM, accuracy: curriculum },
    { from, to, order: RANDOM, accuracy: random }
  ])
  const last = [
    { step: figure6Last.step, order: CURRICULUM, accuracy: figure6Last.curriculum },
    { step: figure6Last.step, order: RANDOM, accuracy: figure6Last.random }
  ]
  const y = { field: "accuracy", ...accuracy(0.6, 0.75) }
  const { color, strokeDash } = SERIES
  return {
    title: "the paper's Fig. 6: GPQA-Diamond",
    width: WIDTH,
    height: HEIGHT_PAPER,
    layer: [
      {
        data: { values: windows },
        mark: { type: "rule", strokeWidth: 2.2 },
        encoding: {
          x: { field: "from", ...steps(figure6Last.step, "step") },
          x2: { field: "to" },
          y,
          color,
          strokeDash
        }
      },
      {
        data: { values: last },
        mark: { type: "point", filled: true, size: 40, opacity: 1, clip: false },
        encoding: { x: { field: "step", ...steps(figure6Last.step, "step") }, y, color }
      }
    ]
  }
}

export const curriculumAgainstRandom: SweepChart = {
  name: "sweep-figure6",
  title: "Curriculum against random order",
  caption:
    "Above, this sweep's arm with the Gaussian curriculum and its arm with a random order (the baseline, or the first of its kind), over steps, with a 95 % bootstrap band from three seeds on. Below, what is known of Fig. 6 of the Llama-Nemotron paper (arXiv 2505.00949): means over windows of steps, and step 200; another model and other questions, so compare the manner and not the heights.",
  spec: (record) => {
    const orders = ordersOf(record)
    if (orders.length < 2) return null
    const bands = curveBands(record, "step")
    const points = orders.flatMap((one) =>
      bands.filter(({ arm }) => arm === one.arm).map((point) => ({ ...point, ...one }))
    )
    if (orders.some(({ order }) => !points.some((point) => point.order === order))) return null
    return chartSpec({
      vconcat: [ours(record, points), paper()],
      resolve: { scale: { x: "independent", y: "independent" } }
    })
  }
}
