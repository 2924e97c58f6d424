/** A Slurm array job that works on a sweep: every task takes its share of the cells, and all of them one file system. */

export interface SlurmOptions {
  readonly name: string
  /** The command line of `gradus`, and the sweep and runs directory as tasks see them. */
  readonly gradus: string
  readonly sweep: string
  readonly runs: string
  readonly tasks: number
  /** Tasks that may run at once; absent: all. */
  readonly atOnce: number | undefined
  readonly cpus: number
  readonly gpus: number
  /** Wall-clock limit as Slurm writes it, `hh:mm:ss`. */
  readonly time: string
  readonly partition: string | undefined
}

/** Puts a text in single quotes for sh. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** Writes the script for `sbatch`. A task that meets its limit gets SIGTERM two minutes before, ends its cell as cancelled, and is queued again. */
export const slurmScript = (options: SlurmOptions): string => {
  const { atOnce, cpus, gpus, name, partition, tasks, time } = options
  const lines = [
    "#!/bin/sh",
    `#SBATCH --job-name=${name}`,
    `#SBATCH --array=0-${tasks - 1}${atOnce === undefined ? "" : `%${atOnce}`}`,
    "#SBATCH --ntasks=1",
    `#SBATCH --cpus-per-task=${cpus}`,
    ...(gpus > 0 ? [`#SBATCH --gpus-per-task=${gpus}`] : []),
    `#SBATCH --time=${time}`,
    ...(partition === undefined ? [] : [`#SBATCH --partition=${partition}`]),
    "#SBATCH --signal=B:TERM@120",
    "#SBATCH --requeue",
    "#SBATCH --open-mode=append",
    `#SBATCH --output=${name}-%A_%a.log`,
    "",
    `trap 'kill -TERM "$worker"; wait "$worker"; scontrol requeue "\${SLURM_ARRAY_JOB_ID}_\${SLURM_ARRAY_TASK_ID}"; exit 0' TERM`,
    `${quoted(options.gradus)} sweep run ${quoted(options.sweep)} --runs ${quoted(options.runs)} --shard "\${SLURM_ARRAY_TASK_ID}/${tasks}" --json &`,
    "worker=$!",
    'wait "$worker"'
  ]
  return `${lines.join("\n")}\n`
}
