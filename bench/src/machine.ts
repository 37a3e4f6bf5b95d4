import { availableParallelism, loadavg } from 'node:os'

/** What a figure depends on beside the code: `Node 20.20.2; 4 processors, load average 1.2`. */
export function machine(): string {
  const load = loadavg()[0]!.toFixed(1)
  return `Node ${process.versions.node}; ${availableParallelism()} processors, load average ${load}`
}
