import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Load } from '../measure.ts'
import type { Peer, Place } from '../peers/peer.ts'
import type { Figures } from '../rounds.ts'
import { bun, node, type Program, python } from './program.ts'

/** What a peer's process is asked, a line of JSON. */
export interface Question {
  place: Place
  load: Pick<Load, 'callers' | 'seconds'>
}

/** What it answers, a line of JSON. */
export type Answer = { figures: Figures } | { failure: string }

/** A peer's process, which measures it lap by lap. */
export interface Contestant {
  lap(place: Place, load: Load): Promise<Figures>
  /** Ends the process. */
  close(): Promise<void>
}

const project = new URL('.', import.meta.resolve('rockpool/package.json'))
const asyncpgPeer = fileURLToPath(new URL('bench/src/runtimes/asyncpg_peer.py', project))
const serve = fileURLToPath(new URL('serve.js', import.meta.url))

/** The program that measures a runtime's peers, with what the runtime itself is told. */
const programOf = new Map<Program, readonly string[]>([
  [node, ['--expose-gc', serve]],
  [bun, [serve]],
  [python, [asyncpgPeer]],
])

/** Starts the process of a peer of the contest of that name. */
export function startContestant(contest: string, peer: Peer): Contestant {
  const found = peer.runtime.found()
  if (found === undefined) throw new Error(`${peer.name} is not installed`)
  const child = spawn(found.path, [...programOf.get(peer.runtime)!, contest, peer.name], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // Ctrl-C is for this process, which ends the others then.
    detached: true,
  })
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ended = once(child, 'close')
  // A process that ends before it has answered is noticed by the answer that does not come.
  ended.catch(() => {})
  child.stdin.on('error', () => {})

  return {
    async lap(place, { callers, seconds, signal }) {
      signal.throwIfAborted()
      const stop = () => child.kill()
      signal.addEventListener('abort', stop)
      try {
        const question: Question = { place, load: { callers, seconds } }
        child.stdin.write(`${JSON.stringify(question)}\n`)
        const line = await answers.next()
        signal.throwIfAborted()
        if (line.done) throw new Error(`${peer.name}: its process has ended`)
        const answer: Answer = JSON.parse(line.value)
        if ('failure' in answer) throw new Error(`${peer.name}: ${answer.failure}`)
        return answer.figures
      } finally {
        signal.removeEventListener('abort', stop)
      }
    },
    async close() {
      child.stdin.end()
      await ended
    },
  }
}
