/** What a policy needs on many GPUs: memory of each, time of an update. The formulas are explained in docs/scale.md, whose table is made here. */

/** A dense decoder of the Llama kind with a head of its own. */
export interface Shape {
  readonly name: string
  readonly hidden: number
  readonly layers: number
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly intermediate: number
  readonly vocabulary: number
}

/** A cluster of equal nodes; rates are a second and a GPU, as data sheets give them. */
export interface Cluster {
  readonly nodes: number
  readonly gpusPerNode: number
  readonly memoryBytes: number
  readonly operations: number
  /** Bytes a second of a node's network cards, all together. */
  readonly networkBytes: number
  /** Bytes a second of a GPU to the others of its node. */
  readonly linkBytes: number
}

/** One way to lay a policy out, and one update. */
export interface Layout {
  /** GPUs that one copy of the policy is cut over. */
  readonly shards: number
  /** Positions of a micro-batch. */
  readonly positions: number
  /** Tokens of an update, and of each of its sequences. */
  readonly tokens: number
  readonly length: number
}

const llama = (name: string, layers: number, hidden: number, heads: number, intermediate: number): Shape => ({
  name,
  hidden,
  layers,
  heads,
  kvHeads: 8,
  headDim: 128,
  intermediate,
  vocabulary: 128_256
})

/** Llama 3.1 8B and 70B, and as 253B what Llama 3.1 405B would be with 78 layers. */
export const SHAPES: ReadonlyArray<Shape> = [
  llama("8B", 32, 4096, 32, 14_336),
  llama("70B", 80, 8192, 64, 28_672),
  llama("253B", 78, 16_384, 128, 53_248)
]

/** 72 nodes of 8 H100 SXM with 400 Gbit/s a GPU. */
export const CLUSTER: Cluster = {
  nodes: 72,
  gpusPerNode: 8,
  memoryBytes: 80 * 2 ** 30,
  operations: 989e12,
  networkBytes: 8 * 50e9,
  linkBytes: 450e9
}

/** Shares of the data sheet that are counted on: 47 % was measured for a 1.5B policy, what networks give is taken from experience. */
export const UTILISATION = { compute: 0.45, network: 0.8 } as const
/** Seconds of a hop of a ring. */
const HOP = 5e-6
/** Logits alive at once in the head, see token_logprob.py; and what CUDA, NCCL and fragments take. */
const HEAD_LOGITS = 640 * 2 ** 20
const RESERVED = 4 * 2 ** 30

const layerParameters = (s: Shape): number =>
  s.hidden * s.headDim * 2 * (s.heads + s.kvHeads) + 3 * s.hidden * s.intermediate + 2 * s.hidden

const endParameters = (s: Shape): number => 2 * s.vocabulary * s.hidden

export const parameters = (s: Shape): number => s.layers * layerParameters(s) + endParameters(s) + s.hidden

export interface Memory {
  /** FP32 weights, gradients and moments of a GPU's rows. */
  readonly state: number
  /** Gathered for computing: both ends, one layer and the next, their gradients on the way. */
  readonly gathered: number
  /** What backward needs, layers computed again. */
  readonly activations: number
  readonly head: number
  readonly total: number
}

/** Bytes of each GPU. */
export const memory = (s: Shape, layout: Layout): Memory => {
  const state = (16 * parameters(s)) / layout.shards
  const layer = layerParameters(s)
  // BF16 weights and gradients, and the FP32 copy that is reduced
  const gathered = 2 * endParameters(s) + 2 * 2 * layer + (2 + 4) * Math.max(layer, endParameters(s))
  const query = s.heads * s.headDim
  const key = s.kvHeads * s.headDim
  const work = 5 * s.hidden + 3 * query + 4 * key + 3 * s.intermediate
  const activations = 2 * layout.positions * (s.layers * s.hidden + 2 * work)
  const head = 6 * HEAD_LOGITS + 10 * s.vocabulary * s.hidden
  return { state, gathered, activations, head, total: state + gathered + activations + head + RESERVED }
}

export interface Time {
  /** Seconds of a micro-batch's arithmetic, and of what is sent for it. */
  readonly compute: number
  readonly exchange: number
  readonly microBatches: number
  /** Seconds of summing gradients over copies, once an update. */
  readonly copies: number
  readonly update: number
  /** Seconds of the digest that every checkpoint has, on rank 0. */
  readonly digest: number
}

/** Bytes a second that a GPU's ring moves: inside a node its links, across nodes its share of all rings over the network. */
const ringBytes = (cluster: Cluster, ranks: number): number =>
  ranks <= cluster.gpusPerNode
    ? cluster.linkBytes * UTILISATION.network
    : Math.min(cluster.linkBytes, cluster.networkBytes) * UTILISATION.network

/** Seconds of an update: arithmetic and exchange of a micro-batch run beside each other, the longer one counts. */
export const time = (s: Shape, cluster: Cluster, layout: Layout): Time => {
  const gpus = cluster.nodes * cluster.gpusPerNode
  const all = parameters(s)
  const matrices = all - s.vocabulary * s.hidden
  const attention = 6 * s.layers * s.heads * s.headDim * layout.length
  // a third of forward and backward again: layers are computed once more
  const operations = (4 / 3) * layout.positions * (6 * matrices + attention)
  const compute = operations / (cluster.operations * UTILISATION.compute)
  const moved = ((layout.shards - 1) / layout.shards) * (2 * 2 * all + 4 * all)
  const exchange = moved / ringBytes(cluster, layout.shards) + 3 * s.layers * (layout.shards - 1) * HOP
  const microBatches = Math.ceil(layout.tokens / gpus / layout.positions)
  const replicas = gpus / layout.shards
  const summed = (2 * ((replicas - 1) / replicas) * 4 * all) / layout.shards
  // every GPU of a node sums its own rows over its own network card
  const copies = replicas === 1 ? 0 : summed / ((cluster.networkBytes / cluster.gpusPerNode) * UTILISATION.network)
  const update = microBatches * Math.max(compute, exchange) + Math.min(compute, exchange) + copies
  return { compute, exchange, microBatches, copies, update, digest: (4 * all) / 2e9 }
}

const gibibytes = (bytes: number): string => (bytes / 2 ** 30).toFixed(1)
const seconds = (value: number): string =>
  value < 0.1 ? value.toFixed(3) : value < 10 ? value.toFixed(2) : value.toFixed(0)

const COLUMNS = [
  "policy",
  "copies x shards",
  "positions",
  "state",
  "gathered",
  "activations",
  "head",
  "of 80 GiB",
  "arithmetic",
  "exchange",
  "update",
  "tokens/s",
  "digest"
]

/** Positions of a micro-batch in the table: fewer where activations would take the room of the rest. */
const POSITIONS: Readonly<Record<string, number>> = { "8B": 16_384, "70B": 8192, "253B": 4096 }

const row = (s: Shape, shards: number): ReadonlyArray<string> => {
  const gpus = CLUSTER.nodes * CLUSTER.gpusPerNode
  const layout: Layout = { shards, positions: POSITIONS[s.name] ?? 16_384, tokens: 2 * gpus * 16_384, length: 2048 }
  const m = memory(s, layout)
  const t = time(s, CLUSTER, layout)
  const fits = m.total <= CLUSTER.memoryBytes
  return [
    s.name,
    `${gpus / shards} x ${shards}`,
    String(layout.positions),
    gibibytes(m.state),
    gibibytes(m.gathered),
    gibibytes(m.activations),
    gibibytes(m.head),
    fits ? gibibytes(m.total) : `**${gibibytes(m.total)}**`,
    seconds(t.compute),
    seconds(t.exchange),
    fits ? seconds(t.update) : "-",
    fits ? `${(layout.tokens / t.update / 1e6).toFixed(2)}e6` : "-",
    seconds(t.digest)
  ]
}

/** The table of docs/scale.md: each policy cut over a node, over eight nodes, and over all. */
export const scaleTable = (): string =>
  [COLUMNS, COLUMNS.map(() => "---"), ...SHAPES.flatMap((shape) => [8, 64, 576].map((shards) => row(shape, shards)))]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n")

/** A result of apps/trainer/bench/ranks.py, as far as the page shows it. */
export interface Measured {
  readonly shape: string
  readonly case: string
  readonly ranks: number
  readonly tok_s: number
  readonly mfu: number
  readonly peak_gb: number
}

/** The table of what was measured, each shape beside its one process. */
export const measuredTable = (results: ReadonlyArray<Measured>): string => {
  const columns = ["policy", "case", "tokens/s", "of one process", "MFU", "peak GB a GPU"]
  const rows = results.map((result) => {
    const one = results.find((other) => other.shape === result.shape && other.ranks === 1)
    const times = one === undefined ? "" : `${(result.tok_s / one.tok_s).toFixed(2)} x`
    return [
      result.shape,
      result.case,
      String(result.tok_s),
      times,
      `${(100 * result.mfu).toFixed(1)} %`,
      String(result.peak_gb)
    ]
  })
  return [columns, columns.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n")
}
