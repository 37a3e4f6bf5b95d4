import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'

/** What a figure depends on beside the code: `Node 20.20.2; 4 processors, load average 1.2`. */
export function machine(): string {
  const load = loadavg()[0]!.toFixed(1)
  return `Node ${process.versions.node}; ${availableParallelism()} processors, load average ${load}`
}

/** The machine itself: processors, memory, system, and what else it has to do at the moment. */
export function hardware(): string {
  const model = cpus()[0]?.model.trim() || 'unknown'
  const memory = Math.round(totalmem() / 2 ** 30)
  const load = loadavg()[0]!.toFixed(1)
  return `${availableParallelism()} processors (${model}), ${memory} GiB of memory, ${type()} ${release()}, load average ${load} before the run`
}
