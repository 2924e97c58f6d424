/** What a computation costs, however busy the machine is: a starved process stands still, and its clock does not. */

/** Milliseconds that this thread has computed so far; a difference of two is what lies between. */
export const cpuMillis = (): number => {
  const { system, user } = process.threadCpuUsage()
  return (user + system) / 1000
}
