/** `gradus launch slurm|k8s`: writes the job that runs the trainer on many nodes; nothing is submitted. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { stringify } from "yaml"
import { faultOf, type Job } from "../launch/Job.ts"
import { type Kubernetes, kubernetesObjects } from "../launch/Kubernetes.ts"
import { type Slurm, slurmScript } from "../launch/Slurm.ts"
import { print, say } from "../Output.ts"
import { UsageError } from "../UsageError.ts"

interface Written extends Job {
  /** File to write; standard output when absent. */
  readonly output: string | undefined
}

const write = Effect.fnUntraced(function* (job: Written, text: string, next: string) {
  const fault = faultOf(job)
  if (fault !== undefined) return yield* new UsageError({ reason: fault })
  if (job.output === undefined) return yield* print(text.trimEnd())
  const fs = yield* FileSystem.FileSystem
  yield* fs.writeFileString(job.output, text)
  yield* say(`${job.output}: ${job.nodes} x ${job.gpusPerNode} GPUs, ${job.replicas} x the policy; ${next}`)
})

/** Writes a batch script for sbatch. */
export const slurm = (options: Written & Slurm) =>
  write(options, slurmScript(options, options), `sbatch ${options.output}`)

/** Writes objects for `kubectl apply -f`. */
export const kubernetes = (options: Written & Kubernetes) =>
  write(
    options,
    kubernetesObjects(options, options)
      .map((object) => stringify(object, { lineWidth: 0 }))
      .join("---\n"),
    `kubectl create secret generic ${options.secret} --from-file=token=FILE, then kubectl apply -f ${options.output}`
  )
