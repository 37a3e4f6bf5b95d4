import { spawn } from 'node:child_process'

/** How a simulation ended. */
export type Outcome =
  /** An invariant told. */
  | { kind: 'violation'; seed: number; step: number; invariant: string; detail: string; ms: number }
  /** The process did not come to an end, or died, on one of the seeds up to `seed`. */
  | { kind: 'hang' | 'crash'; seed: number; detail: string; ms: number }
  /** Nothing was found in the seeds up to `seed`. */
  | { kind: 'nothing'; seed: number; ms: number }

export interface Extent {
  /** How many seeds are tried, from 1 on. */
  readonly seeds: number
  readonly steps: number
}

const fewestSeeds = 25
const mostSeeds = 800

/**
 * Runs a compiled simulation until it finds something. It goes in bounded portions, each as large as all before it
 * together, so that one that hangs is told soon and with few seeds to look at.
 */
export async function simulate(program: string, { seeds, steps }: Extent): Promise<Outcome> {
  const begin = performance.now()
  const elapsed = () => Math.round(performance.now() - begin)
  let done = 0
  while (done < seeds) {
    const count = Math.min(seeds - done, mostSeeds, Math.max(fewestSeeds, done))
    const { code, isLate, out, err } = await portion(program, done + 1, count, steps)
    done += count
    if (isLate) return { kind: 'hang', seed: done, detail: 'ran out of its time', ms: elapsed() }
    const told = violation(out)
    if (code === 1 && told !== undefined) return { ...told, ms: elapsed() }
    // 2: no violation, but something about the simulation's own tables.
    if (code !== 0 && code !== 2) {
      return { kind: 'crash', seed: done, detail: complaint(err), ms: elapsed() }
    }
  }
  return { kind: 'nothing', seed: seeds, ms: elapsed() }
}

/** What the simulation writes last, and the sentence about it before. */
function violation(out: string) {
  const told = /^violation seed=(\d+) step=(\d+) invariant=(\S+)$/.exec(lastLine(out))
  if (told === null) return undefined
  const [, seed, step, invariant] = told
  const detail = /^seed \d+ breaks \S+ in step \d+: (.*)$/m.exec(out)?.[1] ?? ''
  return { kind: 'violation', seed: Number(seed), step: Number(step), invariant: invariant!, detail } as const
}

function complaint(err: string): string {
  return /^(?:\w*Error|FATAL ERROR)\b.*$/m.exec(err)?.[0] ?? lastLine(err)
}

interface Ended {
  code: number | null
  isLate: boolean
  out: string
  err: string
}

function portion(program: string, first: number, count: number, steps: number): Promise<Ended> {
  // A step takes some ten microseconds; the rest is room for a busy machine, and for the simulation's own watch.
  const limit = 120_000 + count * steps * 0.2
  const numbers = { first, seeds: count, steps, workers: 1 }
  const options = Object.entries(numbers).flatMap(([name, value]) => [`--${name}`, String(value)])
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...options, '--stop-at-first', '--no-minimise'])
    let isLate = false
    let out = ''
    let err = ''
    const timer = setTimeout(() => {
      isLate = true
      child.kill('SIGKILL')
    }, limit)
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out = tail(out + text)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err = tail(err + text)
    })
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ code, isLate, out, err })
    })
  })
}

/** Only the last line is read, and what dies in a loop may write without end. */
function tail(text: string): string {
  return text.slice(-4_000)
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? ''
}
