/** Names of what Gradus keeps in a Redis. One Redis database holds one set of runs: another set takes another database number in the address. */
const PREFIX = "gradus:"

export const KEYS = {
  /** Hash {id, sequence}: which life of the store this is, and how far it got. */
  generation: `${PREFIX}generation`,
  /** Hash {number}: the highest fencing number of a run. It stays. */
  lease: (run: string): string => `${PREFIX}lease:${run}`,
  /** Who holds the lease of a run; expires. */
  held: (run: string): string => `${PREFIX}lease:${run}:held`,
  /** Hash of job records by run. */
  jobs: `${PREFIX}jobs`,
  /** Hash of the fencing numbers that the job records were written with. */
  jobFences: `${PREFIX}jobs:fences`,
  /** Stream of what is heard of a run while it works. */
  events: (run: string): string => `${PREFIX}events:${run}`,
  queue: `${PREFIX}queue:`,
  rates: `${PREFIX}rate:`,
  breakers: `${PREFIX}breaker:`,
  verdict: (key: string): string => `${PREFIX}verdict:${key}`,
  judgeSums: `${PREFIX}judge:sums`,
  judgeAddition: (id: string): string => `${PREFIX}judge:addition:${id}`,
  values: `${PREFIX}values`
} as const
