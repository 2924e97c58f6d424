/** Objects for Kubernetes: a front that is kept alive, an indexed job of one pod a node, and who may talk to whom. */
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

export interface Kubernetes {
  /** Image with `gradus_trainer` and torch for CUDA. */
  readonly image: string
  /** Claim of a volume that every node may write. */
  readonly claim: string
  /** Secret whose key `token` is the token. */
  readonly secret: string
}

type Tree = Readonly<Record<string, unknown>>

const object = (apiVersion: string, kind: string, name: string, spec: Tree): Tree => ({
  apiVersion,
  kind,
  metadata: { name, labels: { "app.kubernetes.io/part-of": "gradus" } },
  spec
})

const variables = ({ secret }: Kubernetes): ReadonlyArray<Tree> => [
  { name: "GRADUS_TRAINER_TOKEN", valueFrom: { secretKeyRef: { name: secret, key: "token" } } },
  ...Object.entries(ENVIRONMENT).map(([name, value]) => ({ name, value }))
]

const pod = (job: Job, { claim }: Kubernetes, component: string, rest: Tree, container: Tree): Tree => ({
  metadata: { labels: { app: job.name, component } },
  spec: {
    automountServiceAccountToken: false,
    ...rest,
    containers: [
      {
        securityContext: { allowPrivilegeEscalation: false },
        ...container,
        volumeMounts: [
          { name: "shared", mountPath: job.shared },
          { name: "memory", mountPath: "/dev/shm" }
        ]
      }
    ],
    volumes: [
      { name: "shared", persistentVolumeClaim: { claimName: claim } },
      // NCCL keeps buffers there, and the default is 64 MiB
      { name: "memory", emptyDir: { medium: "Memory" } }
    ]
  }
})

const front = (job: Job, kubernetes: Kubernetes): Tree => {
  const health = { httpGet: { path: "/healthz", port: "http" } }
  return object("apps/v1", "Deployment", `${job.name}-front`, {
    replicas: 1,
    // one process owns the state: the old one must be gone first
    strategy: { type: "Recreate" },
    selector: { matchLabels: { app: job.name, component: "front" } },
    template: pod(
      job,
      kubernetes,
      "front",
      {},
      {
        name: "front",
        image: kubernetes.image,
        command: frontCommand(job),
        env: variables(kubernetes),
        ports: [
          { name: "http", containerPort: job.port },
          { name: "workers", containerPort: WORKERS_PORT }
        ],
        startupProbe: { ...health, periodSeconds: 2, failureThreshold: 150 },
        readinessProbe: { ...health, periodSeconds: 5 },
        livenessProbe: { ...health, periodSeconds: 20, failureThreshold: 6 },
        resources: { requests: { cpu: "4", memory: "16Gi" }, limits: { memory: "64Gi" } }
      }
    )
  })
}

const service = (job: Job, component: string, ports: ReadonlyArray<Tree>, rest: Tree = {}): Tree =>
  object("v1", "Service", `${job.name}-${component}`, { ...rest, selector: { app: job.name, component }, ports })

const launcher = (job: Job): string =>
  [
    'host=0; [ "$JOB_COMPLETION_INDEX" = 0 ] && host=1',
    `exec ${torchrunCommand(job).map(quoted).join(" ")} \\`,
    `  --rdzv-id=${job.name} --rdzv-endpoint=${job.name}-workers-0.${job.name}-workers:${RENDEZVOUS_PORT} --rdzv-conf=is_host=$host \\`,
    `  ${workerCommand(job).map(quoted).join(" ")} --front=${job.name}-front:${WORKERS_PORT}`,
    ""
  ].join("\n")

const workers = (job: Job, kubernetes: Kubernetes): Tree =>
  object("batch/v1", "Job", `${job.name}-workers`, {
    completionMode: "Indexed",
    completions: job.nodes,
    parallelism: job.nodes,
    // a pod that ends is a node that was lost: another takes its index, and torchrun has all workers start again
    backoffLimit: 1000,
    template: pod(
      job,
      kubernetes,
      "workers",
      { restartPolicy: "OnFailure", subdomain: `${job.name}-workers` },
      {
        name: "workers",
        image: kubernetes.image,
        command: ["bash", "-c", launcher(job)],
        env: variables(kubernetes),
        ports: [{ name: "rendezvous", containerPort: RENDEZVOUS_PORT }],
        resources: { limits: { "nvidia.com/gpu": job.gpusPerNode } }
      }
    )
  })

/** Workers reach each other and the front; the front's worker port is closed to everything else. */
const policies = (job: Job): ReadonlyArray<Tree> => {
  const ours = { podSelector: { matchLabels: { app: job.name } } }
  return [
    object("networking.k8s.io/v1", "NetworkPolicy", `${job.name}-workers`, {
      podSelector: { matchLabels: { app: job.name, component: "workers" } },
      policyTypes: ["Ingress"],
      ingress: [{ from: [ours] }]
    }),
    object("networking.k8s.io/v1", "NetworkPolicy", `${job.name}-front`, {
      podSelector: { matchLabels: { app: job.name, component: "front" } },
      policyTypes: ["Ingress"],
      ingress: [{ from: [ours] }, { ports: [{ port: "http", protocol: "TCP" }] }]
    })
  ]
}

/** Makes all objects of a job. The secret and the claim are named and must be there. */
export const kubernetesObjects = (job: Job, kubernetes: Kubernetes): ReadonlyArray<Tree> => [
  service(job, "front", [
    { name: "http", port: job.port, targetPort: "http" },
    { name: "workers", port: WORKERS_PORT, targetPort: "workers" }
  ]),
  // without an address of its own it gives every pod a name, also before the pod is ready
  service(job, "workers", [{ name: "rendezvous", port: RENDEZVOUS_PORT, targetPort: "rendezvous" }], {
    clusterIP: "None",
    publishNotReadyAddresses: true
  }),
  front(job, kubernetes),
  workers(job, kubernetes),
  ...policies(job)
]
