/** A batch script for Slurm. */
import {
  ENVIRONMENT,
  frontCommand,
  type Job,
  quoted,
  RENDEZVOUS_PORT,
  torchrunCommand,
  WORKERS_PORT,
  workerCommand
} from "./Job.ts"

export interface Slurm {
  /** Limit of the job's time, as `sbatch --time` takes it. */
  readonly time: string
  readonly partition: string | undefined
  /** File with the token, readable by its owner alone, on every node. */
  readonly tokenFile: string
}

const command = (words: ReadonlyArray<string>): string => words.map(quoted).join(" ")

const head = (job: Job, slurm: Slurm): ReadonlyArray<string> => [
  "#!/bin/bash",
  `#SBATCH --job-name=${job.name}`,
  `#SBATCH --nodes=${job.nodes}`,
  "#SBATCH --ntasks-per-node=1",
  `#SBATCH --gpus-per-node=${job.gpusPerNode}`,
  "#SBATCH --exclusive",
  "#SBATCH --mem=0",
  `#SBATCH --time=${slurm.time}`,
  ...(slurm.partition === undefined ? [] : [`#SBATCH --partition=${slurm.partition}`]),
  "#SBATCH --requeue",
  "#SBATCH --open-mode=append",
  "#SBATCH --output=%x-%j.log"
]

/** Writes the script: front on the first node, torchrun on every node, an address when the front is healthy. */
export const slurmScript = (job: Job, slurm: Slurm): string =>
  [
    ...head(job, slurm),
    `# The trainer of ${job.nodes} x ${job.gpusPerNode} GPUs, ${job.replicas} cop${job.replicas === 1 ? "y" : "ies"} of the policy. Written by gradus launch slurm.`,
    "set -euo pipefail",
    "",
    `shared=${quoted(job.shared)}`,
    `token_file=${quoted(slurm.tokenFile)}`,
    "# the token is on no command line and in no log; make it with: (umask 077; openssl rand -hex 32 > FILE)",
    'if [[ -n $(find -L "$token_file" -perm /077) ]]; then echo "$token_file must be readable by its owner alone" >&2; exit 1; fi',
    'GRADUS_TRAINER_TOKEN=$(<"$token_file")',
    "export GRADUS_TRAINER_TOKEN",
    ...Object.entries(ENVIRONMENT).map(([name, value]) => `export ${name}=${quoted(value)}`),
    'mkdir -p "$shared/state" "$shared/artifacts"',
    "",
    // read to its end: a reader that leaves after the first line would end the job by SIGPIPE, now and then
    'mapfile -t hosts < <(scontrol show hostnames "$SLURM_JOB_NODELIST")',
    "first=${hosts[0]}",
    "export first",
    "",
    "# The front outlives workers, and is started again when it dies: ledger and log are on the shared directory.",
    "front() {",
    `  until ${command(frontCommand(job))}; do`,
    "    sleep 2",
    "  done",
    "}",
    "",
    "# torchrun starts all workers again when one dies; the loop starts torchrun again when a whole node was lost.",
    "workers() {",
    "  host=0",
    "  [[ $SLURM_NODEID == 0 ]] && host=1",
    `  until ${command(torchrunCommand(job))} \\`,
    `    --rdzv-id="$SLURM_JOB_ID" --rdzv-endpoint="$first:${RENDEZVOUS_PORT}" --rdzv-conf="is_host=$host" \\`,
    `    ${command(workerCommand(job))} --front="$first:${WORKERS_PORT}"; do`,
    "    sleep 5",
    "  done",
    "}",
    "export -f front workers",
    "",
    'srun --overlap --nodes=1 --ntasks=1 --nodelist="$first" --gpus=0 --output="$shared/front.log" bash -c front &',
    "front_pid=$!",
    'srun --overlap --kill-on-bad-exit=0 --output="$shared/workers-%t.log" bash -c workers &',
    "workers_pid=$!",
    `trap 'kill "$front_pid" "$workers_pid" 2>/dev/null || true' EXIT`,
    "",
    `url="http://$first:${job.port}"`,
    "healthy=no",
    "for _ in $(seq 150); do",
    '  if curl -fs -o /dev/null "$url/healthz"; then healthy=yes; break; fi',
    "  sleep 2",
    "done",
    'if [[ $healthy == no ]]; then echo "the front did not become healthy, see $shared/front.log" >&2; exit 1; fi',
    'printf \'%s\\n\' "$url" > "$shared/url"',
    'echo "trainer: $url (manifest: trainer: {kind: service, url: $url, token: {env: GRADUS_TRAINER_TOKEN}})"',
    "",
    "# scancel ends it; the end of either part ends the job",
    'wait -n "$front_pid" "$workers_pid"',
    ""
  ].join("\n")
