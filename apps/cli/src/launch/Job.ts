/** What a job of many nodes is made of, whatever starts it: one front on the first node, one torchrun on each, workers under them. */

export interface Job {
  /** Names the job, its files and its Kubernetes objects. */
  readonly name: string
  readonly nodes: number
  readonly gpusPerNode: number
  /** Whole copies of the policy; each is cut over nodes · gpusPerNode / replicas GPUs. */
  readonly replicas: number
  /** Directory that every node sees: ledger, write-ahead log and checkpoints are below it. */
  readonly shared: string
  /** The Python that has `gradus_trainer`, as the nodes see it. */
  readonly python: string
  /** Port of the trainer protocol on the front. */
  readonly port: number
}

/** Where rank 0 meets the front, and the nodes meet each other. */
export const WORKERS_PORT = 29_400
export const RENDEZVOUS_PORT = 29_500

/** Says what is wrong with a job, if anything is. */
export const faultOf = (job: Job): string | undefined => {
  const ranks = job.nodes * job.gpusPerNode
  if (!/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/.test(job.name))
    return `--name ${job.name} must be at most 40 small letters, digits and dashes`
  if (job.nodes < 1 || job.gpusPerNode < 1) return "--nodes and --gpus must be at least 1"
  if (job.replicas < 1 || ranks % job.replicas !== 0)
    return `--replicas ${job.replicas} must divide ${ranks}, the number of GPUs`
  if (!job.shared.startsWith("/")) return `--shared ${job.shared} must be an absolute path that every node sees`
  if ([job.port, WORKERS_PORT, RENDEZVOUS_PORT].some((port, i, all) => all.indexOf(port) !== i))
    return `--port ${job.port} is taken by the workers`
  return job.port < 1 || job.port > 65_535 ? `--port ${job.port} is no port` : undefined
}

/** A word of a shell command that stays one word, whatever is in it. */
export const quoted = (word: string): string =>
  /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`

/** The front: it touches no GPU. */
export const frontCommand = (job: Job): ReadonlyArray<string> => [
  job.python,
  "-m",
  "gradus_trainer",
  "--state",
  `${job.shared}/state`,
  "--artifacts",
  `${job.shared}/artifacts`,
  "--host",
  "0.0.0.0",
  "--port",
  String(job.port),
  "--workers",
  `0.0.0.0:${WORKERS_PORT}`,
  "--device",
  "cpu"
]

/** The launcher of a node, up to what its scheduler must say: rendezvous and front. */
export const torchrunCommand = (job: Job): ReadonlyArray<string> => [
  job.python,
  "-m",
  "torch.distributed.run",
  `--nnodes=${job.nodes}`,
  `--nproc-per-node=${job.gpusPerNode}`,
  "--rdzv-backend=c10d",
  "--max-restarts=1000",
  "--monitor-interval=1"
]

export const workerCommand = (job: Job): ReadonlyArray<string> => [
  "-m",
  "gradus_trainer.engine.torchrun.worker",
  `--replicas=${job.replicas}`,
  "--device=cuda"
]

/**
 * Variables of launchers and workers. Workers that start again must not find the addresses of those before them, which torchrun's shared
 * store would keep; blocks of memory that grow waste less between layers that come and go.
 */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  TORCH_DISABLE_SHARE_RDZV_TCP_STORE: "1",
  PYTORCH_CUDA_ALLOC_CONF: "expandable_segments:True",
  OMP_NUM_THREADS: "8",
  PYTHONUNBUFFERED: "1"
}
