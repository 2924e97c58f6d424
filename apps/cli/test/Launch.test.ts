/** The written jobs: the script runs from its first line to its last with stand-ins for Slurm's commands, the objects fit together. */
import { assert, describe, it } from "@effect/vitest"
import { execFileSync, spawnSync } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { slurmScript as arrayScript } from "@gradus/sweep/Slurm"
import * as Schema from "effect/Schema"
import { parseAllDocuments, stringify } from "yaml"
import { faultOf, type Job, quoted } from "../src/launch/Job.ts"
import { kubernetesObjects } from "../src/launch/Kubernetes.ts"
import { slurmScript } from "../src/launch/Slurm.ts"
import { projectRoot } from "../src/ProjectRoot.ts"

const job: Job = {
  name: "gradus-trainer",
  nodes: 72,
  gpusPerNode: 8,
  replicas: 9,
  shared: "/shared/it's here",
  python: "python3",
  port: 8700
}

const shell = (script: string) => spawnSync("bash", ["-n"], { input: script, encoding: "utf8" })

/** Commands of a cluster, each a few lines of shell that note what they were asked. */
const STAND_INS: Readonly<Record<string, string>> = {
  scontrol: 'printf "%s\\n" node001 node002',
  // healthy from when the front was started, as the real one is
  curl: 'echo "curl $*" >> "$NOTES"; grep -q "gradus_trainer --state" "$NOTES"',
  srun: 'while [[ $1 == --* ]]; do shift; done\nSLURM_NODEID=0 exec "$@"',
  python3: 'echo "python3 token=$GRADUS_TRAINER_TOKEN $*" >> "$NOTES"'
}

const runScript = (mode: number) => {
  const root = mkdtempSync(join(tmpdir(), "gradus-launch-"))
  const bin = join(root, "bin")
  mkdirSync(bin)
  for (const [name, body] of Object.entries(STAND_INS))
    writeFileSync(join(bin, name), `#!/bin/bash\n${body}\n`, { mode: 0o755 })
  const tokenFile = join(root, "token")
  writeFileSync(tokenFile, "s3cret\n")
  chmodSync(tokenFile, mode)
  const shared = join(root, "it's shared")
  const script = slurmScript({ ...job, shared }, { time: "1:00:00", partition: "gpu", tokenFile })
  const notes = join(root, "notes")
  writeFileSync(notes, "")
  const ran = spawnSync("bash", [], {
    input: script,
    encoding: "utf8",
    env: {
      PATH: `${bin}:${process.env["PATH"]}`,
      NOTES: notes,
      SLURM_JOB_NODELIST: "node[001-002]",
      SLURM_JOB_ID: "77"
    }
  })
  return { ...ran, shared, notes: readFileSync(notes, "utf8").trim().split("\n").toSorted() }
}

/** Checks a script by a program that set-up brings along. */
const shellcheck = (dialect: "bash" | "sh", script: string) => {
  const program = join(projectRoot, "apps/trainer/.venv/bin/shellcheck")
  const { error, status, stdout } = spawnSync(program, ["-s", dialect, "-"], { input: script, encoding: "utf8" })
  return [error, status, stdout]
}

describe("sweep slurm", () => {
  it("passes shellcheck, whatever its paths are called", () => {
    const script = arrayScript({
      name: "sweep",
      gradus: "/a b/it's/gradus.mjs",
      sweep: "/a b/sweep.yaml",
      runs: "/a b/runs",
      tasks: 8,
      atOnce: 2,
      cpus: 2,
      gpus: 1,
      time: "04:00:00",
      partition: "main"
    })
    assert.deepStrictEqual(shellcheck("sh", script), [undefined, 0, ""])
  })
})

describe("launch slurm", () => {
  const script = slurmScript(job, { time: "24:00:00", partition: undefined, tokenFile: "/home/me/token" })

  it("is a script that bash can read", () => {
    const { status, stderr } = shell(script)
    assert.deepStrictEqual([status, stderr], [0, ""])
    assert.match(script, /^#!\/bin\/bash\n#SBATCH --job-name=gradus-trainer\n#SBATCH --nodes=72\n/)
    assert.include(script, "#SBATCH --gpus-per-node=8\n")
  })

  it("passes shellcheck", () => assert.deepStrictEqual(shellcheck("bash", script), [undefined, 0, ""]))

  it("starts front and launchers, tells the address when the front is healthy, and keeps the token out of sight", () => {
    const { notes, shared, status, stderr, stdout } = runScript(0o600)
    assert.deepStrictEqual([status, stderr], [0, ""])
    assert.deepStrictEqual(
      notes.filter((line) => line.startsWith("python3")),
      [
        `python3 token=s3cret -m gradus_trainer --state ${shared}/state --artifacts ${shared}/artifacts --host 0.0.0.0 --port 8700 --workers 0.0.0.0:29400 --device cpu`,
        "python3 token=s3cret -m torch.distributed.run --nnodes=72 --nproc-per-node=8 --rdzv-backend=c10d --max-restarts=1000 --monitor-interval=1 " +
          "--rdzv-id=77 --rdzv-endpoint=node001:29500 --rdzv-conf=is_host=1 " +
          "-m gradus_trainer.engine.torchrun.worker --replicas=9 --device=cuda --front=node001:29400"
      ]
    )
    assert.include(notes, "curl -fs -o /dev/null http://node001:8700/healthz")
    assert.strictEqual(readFileSync(join(shared, "url"), "utf8"), "http://node001:8700\n")
    assert.notInclude(stdout, "s3cret")
    assert.include(stdout, "trainer: http://node001:8700 ")
  })

  it("refuses a token that others may read", () => {
    const { notes, status, stderr } = runScript(0o644)
    assert.strictEqual(status, 1)
    assert.include(stderr, "must be readable by its owner alone")
    assert.deepStrictEqual(notes, [""])
  })
})

/** As much of the API as these objects use; nothing else may be in them. */
const Labels = Schema.Record(Schema.String, Schema.String)
const Probe = Schema.Struct({
  httpGet: Schema.Struct({ path: Schema.String, port: Schema.String }),
  periodSeconds: Schema.Int,
  failureThreshold: Schema.optionalKey(Schema.Int)
})
const Variable = Schema.Union([
  Schema.Struct({ name: Schema.String, value: Schema.String }),
  Schema.Struct({
    name: Schema.String,
    valueFrom: Schema.Struct({ secretKeyRef: Schema.Struct({ name: Schema.String, key: Schema.String }) })
  })
])
const Container = Schema.Struct({
  name: Schema.String,
  image: Schema.String,
  command: Schema.Array(Schema.String),
  env: Schema.Array(Variable),
  ports: Schema.Array(Schema.Struct({ name: Schema.String.check(Schema.isMaxLength(15)), containerPort: Schema.Int })),
  startupProbe: Schema.optionalKey(Probe),
  readinessProbe: Schema.optionalKey(Probe),
  livenessProbe: Schema.optionalKey(Probe),
  resources: Schema.Struct({
    requests: Schema.optionalKey(Labels),
    limits: Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Int]))
  }),
  securityContext: Schema.Struct({ allowPrivilegeEscalation: Schema.Literal(false) }),
  volumeMounts: Schema.Array(Schema.Struct({ name: Schema.String, mountPath: Schema.String }))
})
const Pod = Schema.Struct({
  metadata: Schema.Struct({ labels: Labels }),
  spec: Schema.Struct({
    automountServiceAccountToken: Schema.Literal(false),
    restartPolicy: Schema.optionalKey(Schema.Literal("OnFailure")),
    subdomain: Schema.optionalKey(Schema.String),
    containers: Schema.Tuple([Container]),
    volumes: Schema.Array(
      Schema.Union([
        Schema.Struct({ name: Schema.String, persistentVolumeClaim: Schema.Struct({ claimName: Schema.String }) }),
        Schema.Struct({ name: Schema.String, emptyDir: Schema.Struct({ medium: Schema.Literal("Memory") }) })
      ])
    )
  })
})
const Selector = Schema.Struct({ matchLabels: Labels })
const specs = {
  Service: Schema.Struct({
    clusterIP: Schema.optionalKey(Schema.Literal("None")),
    publishNotReadyAddresses: Schema.optionalKey(Schema.Literal(true)),
    selector: Labels,
    ports: Schema.Array(Schema.Struct({ name: Schema.String, port: Schema.Int, targetPort: Schema.String }))
  }),
  Deployment: Schema.Struct({
    replicas: Schema.Literal(1),
    strategy: Schema.Struct({ type: Schema.Literal("Recreate") }),
    selector: Selector,
    template: Pod
  }),
  Job: Schema.Struct({
    completionMode: Schema.Literal("Indexed"),
    completions: Schema.Int,
    parallelism: Schema.Int,
    backoffLimit: Schema.Int,
    template: Pod
  }),
  NetworkPolicy: Schema.Struct({
    podSelector: Selector,
    policyTypes: Schema.Array(Schema.Literal("Ingress")),
    ingress: Schema.Array(
      Schema.Struct({
        from: Schema.optionalKey(Schema.Array(Schema.Struct({ podSelector: Selector }))),
        ports: Schema.optionalKey(Schema.Array(Schema.Struct({ port: Schema.String, protocol: Schema.Literal("TCP") })))
      })
    )
  })
} as const
const Metadata = Schema.Struct({ name: Schema.String.check(Schema.isMaxLength(63)), labels: Labels })
const kind = <const K extends keyof typeof specs>(name: K, apiVersion: string) =>
  Schema.Struct({
    apiVersion: Schema.Literal(apiVersion),
    kind: Schema.Literal(name),
    metadata: Metadata,
    spec: specs[name]
  })
const Objects = Schema.Tuple([
  kind("Service", "v1"),
  kind("Service", "v1"),
  kind("Deployment", "apps/v1"),
  kind("Job", "batch/v1"),
  kind("NetworkPolicy", "networking.k8s.io/v1"),
  kind("NetworkPolicy", "networking.k8s.io/v1")
])

describe("launch k8s", () => {
  const text = kubernetesObjects(
    { ...job, shared: "/shared" },
    { image: "registry/gradus:1", claim: "disk", secret: "key" }
  )
    .map((object) => stringify(object, { lineWidth: 0 }))
    .join("---\n")
  const objects = Schema.decodeUnknownSync(Objects)(
    parseAllDocuments(text).map((document) => document.toJS()),
    { onExcessProperty: "error" }
  )
  const [frontService, workersService, front, workers, workersPolicy, frontPolicy] = objects

  it("has one pod a node, each with all GPUs of it", () => {
    assert.deepInclude(workers.spec, { completions: 72, parallelism: 72 })
    assert.deepStrictEqual(workers.spec.template.spec.containers[0].resources.limits, { "nvidia.com/gpu": 8 })
    assert.strictEqual(workers.spec.template.spec.subdomain, workersService.metadata.name)
  })

  it("selects the pods that it means, by ports that they have", () => {
    const templates = { front: front.spec.template, workers: workers.spec.template }
    for (const [service, { metadata, spec }] of [
      [frontService, templates.front],
      [workersService, templates.workers]
    ] as const) {
      assert.deepStrictEqual(service.spec.selector, metadata.labels)
      const ports = new Map(spec.containers[0].ports.map((port) => [port.name, port.containerPort]))
      for (const { port, targetPort } of service.spec.ports) assert.strictEqual(ports.get(targetPort), port)
    }
    assert.deepStrictEqual(front.spec.selector.matchLabels, templates.front.metadata.labels)
    assert.deepStrictEqual(workersPolicy.spec.podSelector.matchLabels, templates.workers.metadata.labels)
    assert.deepStrictEqual(frontPolicy.spec.podSelector.matchLabels, templates.front.metadata.labels)
    assert.deepStrictEqual(frontPolicy.spec.ingress[1]?.ports, [{ port: "http", protocol: "TCP" }])
    const container = templates.front.spec.containers[0]
    for (const probe of [container.startupProbe, container.readinessProbe, container.livenessProbe])
      assert.deepStrictEqual(probe?.httpGet, { path: "/healthz", port: "http" })
  })

  it("mounts the volumes that it has, and takes the token from the secret alone", () => {
    for (const { spec } of [front.spec.template, workers.spec.template]) {
      const [container] = spec.containers
      assert.deepStrictEqual(
        container.volumeMounts.map(({ name }) => name),
        spec.volumes.map(({ name }) => name)
      )
      assert.deepInclude(container.env, {
        name: "GRADUS_TRAINER_TOKEN",
        valueFrom: { secretKeyRef: { name: "key", key: "token" } }
      })
    }
    assert.notInclude(text, "kind: Secret")
  })

  it("starts launchers that find each other and the front by the names of the services", () => {
    const [, , script] = workers.spec.template.spec.containers[0].command
    assert.strictEqual(shell(script ?? "exit (").status, 0)
    assert.include(script, "--rdzv-endpoint=gradus-trainer-workers-0.gradus-trainer-workers:29500")
    assert.include(script, `--front=${frontService.metadata.name}:29400`)
    assert.include(script, "--nnodes=72 --nproc-per-node=8")
  })
})

describe("a job", () => {
  it("is refused with what is wrong with it", () => {
    const faults = [
      { replicas: 7 },
      { nodes: 0 },
      { shared: "here" },
      { name: "A b" },
      { port: 29_400 },
      { port: 70_000 }
    ].map((change) => faultOf({ ...job, ...change }))
    assert.deepStrictEqual(faults, [
      "--replicas 7 must divide 576, the number of GPUs",
      "--nodes and --gpus must be at least 1",
      "--shared here must be an absolute path that every node sees",
      "--name A b must be at most 40 small letters, digits and dashes",
      "--port 29400 is taken by the workers",
      "--port 70000 is no port"
    ])
    assert.isUndefined(faultOf(job))
  })

  it("has words that stay words in a shell", () => {
    const word = 'it\'s $HOME `id` "x" *'
    assert.strictEqual(execFileSync("bash", ["-c", `printf %s ${quoted(word)}`], { encoding: "utf8" }), word)
  })
})
