import { VirtualClock } from '../pooling/support/virtual-clock.ts'
import { Client, type Outcome } from './client.ts'
import { MemorySocket } from './memory-socket.ts'
import type { Login, Turn } from './recordings.ts'
import type { ScramStandIn } from './scram-stand-in.ts'
import type { WorkloadName } from './workloads.ts'

/** What a server says in one session. */
export interface Stream {
  login: Login
  workload: WorkloadName | undefined
  /** Each is said once the client has sent enough, or has nothing more to say. */
  turns: Turn[]
  /** The pieces in which it arrives. */
  cut(bytes: Buffer): Iterable<Buffer>
  /** How the connection ends behind the last turn. */
  ending: 'FIN' | 'RST'
  /** Whether every time-out of the client's passes before the end. */
  expires: boolean
  standIn: ScramStandIn | undefined
}

export interface Played {
  outcomes: Outcome[]
  /** What must never be: calls without an end, timers and sockets left. Empty where all is well. */
  left: string[]
  /** Memory outside the heap just before the connection ended, in bytes. */
  external: number
}

/** A client that has sent nothing for so many turns of the event loop waits for the server. */
const quietTurns = 3
/** Keys are derived in other threads: only a real time bounds the wait for what they lead to. */
const longestWait = 10_000

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Plays the server's part of a session to a client at work. */
export async function play(stream: Stream): Promise<Played> {
  const clock = new VirtualClock()
  let sent = 0
  const socket = new MemorySocket({
    received(bytes) {
      sent += bytes.length
      stream.standIn?.heard(bytes)
    },
    ended: () => socket.finish(),
  })
  const client = new Client(socket, stream.login, stream.workload, clock)
  let isDone = false
  const done = client.done.then(() => {
    isDone = true
  })
  const clientWaits = async (until: number): Promise<void> => {
    for (let quiet = 0, before = sent; quiet < quietTurns && sent < until && !isDone; quiet++) {
      await nextTurn()
      if (sent !== before) quiet = 0
      before = sent
    }
  }
  for (const { after, bytes } of stream.turns) {
    await clientWaits(after)
    if (socket.destroyed) break
    for (const piece of stream.cut(stream.standIn?.adapted(bytes) ?? bytes)) socket.deliver(piece)
  }
  await clientWaits(Number.POSITIVE_INFINITY)
  const external = process.memoryUsage().external
  if (stream.expires) await clock.advance(60_000)
  if (stream.ending === 'FIN') socket.finish()
  else socket.reset()
  const start = performance.now()
  while (!(isDone && socket.closed) && performance.now() - start < longestWait) await nextTurn()
  await nextTurn()
  const left: string[] = []
  if (!isDone) left.push('a call has no end')
  else await done
  if (!socket.closed) left.push('the socket is open')
  if (client.session !== undefined && !client.session.isClosed) left.push('the session is open')
  if (clock.timers > 0) left.push(`timers: ${clock.timers}`)
  return { outcomes: client.outcomes, left, external }
}
