import type net from 'node:net'
import { systemClock, type Timer } from '../../deadline.ts'
import { type Duration, parseDuration } from '../../duration.ts'
import { InterfaceError } from '../../errors.ts'
import { checkCount, checkFunction } from '../arguments.ts'
import { Backlog, type End } from './backlog.ts'
import { type Action, Breakpoints } from './breakpoints.ts'
import { Counter } from './counter.ts'
import type { BytesRewriter, Flow, MessageRewriter, ProxiedConnection } from './faults.ts'
import type { MessageCutter } from './message-cutter.ts'
import { Rewriting } from './rewriting.ts'
import { afterTurn, resetSocket } from './sockets.ts'

/** What a flow needs to know of its connection. */
export interface FlowContext {
  readonly connection: ProxiedConnection
  readonly cutter: MessageCutter
  /** The socket that is written to; `undefined`: not opened yet. */
  receiver(): net.Socket | undefined
  /** The same, opened where it is not. */
  reachReceiver(): net.Socket
  random(): number
  /** Code of the test threw. */
  failed(error: unknown): void
}

/**
 * What passes, from everything to nothing; a word of the test's only ever makes it less, but for `resume()`. `broken`:
 * something was thrown away, so that nothing may follow it. `over`: the receiver was told the end, or is gone.
 */
const states = ['open', 'end-held', 'held', 'dropping', 'broken', 'over'] as const
type State = (typeof states)[number]

/**
 * `busy`: nothing is done while a write or an action is under way, or the flow has not begun. `paced`: nothing passes
 * before the next turn of the event loop.
 */
type Step = 'busy' | 'paced' | 'ready'

/** With so many bytes waiting the sender is not read any more. */
const room = 65_536

/** Passes on what one side sends, one thing after the other: a write is over before the next thing is looked at. */
export class RelayedFlow implements Flow {
  readonly #context: FlowContext
  readonly #backlog: Backlog
  readonly #rewriting: Rewriting
  readonly #breakpoints = new Breakpoints()
  readonly #received = new Counter()
  readonly #passed = new Counter()
  #sender: net.Socket | undefined
  #state: State = 'open'
  #step: Step = 'busy'
  #slice = Number.POSITIVE_INFINITY
  #timer: Timer | undefined

  constructor(context: FlowContext) {
    this.#context = context
    this.#backlog = new Backlog(systemClock.now, context.random)
    this.#rewriting = new Rewriting(context.cutter, context.connection)
  }

  get bytesReceived(): number {
    return this.#received.value
  }

  get bytesPassed(): number {
    return this.#passed.value
  }

  received(bytes: number): Promise<void> {
    return this.#received.reaches(bytes)
  }

  passed(bytes: number): Promise<void> {
    return this.#passed.reaches(bytes)
  }

  delay(latency: Duration, jitter: Duration = 0): void {
    this.#backlog.delay(parseDuration('latency', latency), parseDuration('jitter', jitter))
    this.#stopTimer()
    this.#pass()
  }

  slice(bytes: number): void {
    checkCount('bytes', bytes)
    this.#slice = bytes === 0 ? Number.POSITIVE_INFINITY : bytes
  }

  hold(): void {
    this.#restrict('held')
  }

  holdEnd(): void {
    this.#restrict('end-held')
  }

  drop(): void {
    this.#restrict('dropping')
    if (this.#backlog.head !== undefined) this.#discard('broken')
  }

  resume(): void {
    if (this.#state === 'broken' || this.#state === 'over') return
    this.#state = 'open'
    this.#pass()
  }

  end(): void {
    if (this.#state === 'over') return
    this.#context.receiver()?.end()
    this.#discard('over')
  }

  /** The RST is a turn late: one that comes with the last bytes may be taken for an end in order. */
  reset(): void {
    const receiver = this.#context.receiver()
    if (receiver !== undefined) afterTurn(() => resetSocket(receiver))
    this.#discard('over')
  }

  heal(): void {
    this.delay(0)
    this.slice(0)
    this.#rewriting.stop()
    this.#breakpoints.clear()
    this.resume()
  }

  at(bytes: number, action: Action): void {
    checkCount('bytes', bytes)
    checkFunction('action', action)
    if (bytes < this.bytesPassed) {
      throw new InterfaceError(`bytes: ${bytes} is too late, ${this.bytesPassed} have been passed on`)
    }
    this.#breakpoints.add(bytes, action)
    this.#pass()
  }

  rewrite(rewriter: BytesRewriter): void {
    checkFunction('rewriter', rewriter)
    this.#rewriting.byBytes(rewriter)
  }

  rewriteMessages(rewriter: MessageRewriter): void {
    checkFunction('rewriter', rewriter)
    this.#rewriting.byMessages(rewriter)
  }

  /** The next thing may pass. */
  begin(): void {
    this.#step = 'ready'
    this.#pass()
  }

  readFrom(sender: net.Socket): void {
    this.#sender = sender
    sender.on('data', (chunk) => this.#receive(chunk))
    sender.on('end', () => this.#receiveEnd('FIN'))
    sender.on('close', (hadError) => {
      if (hadError) this.#receiveEnd('RST')
    })
  }

  receiverClosed(): void {
    this.#discard('over')
  }

  connectionClosed(): void {
    this.#discard('over')
    this.#received.end()
    this.#passed.end()
  }

  #receive(chunk: Buffer): void {
    const rewritten = this.#rewritten(() => this.#rewriting.apply(chunk))
    if (this.#isPassable()) for (const bytes of rewritten) this.#backlog.push(bytes)
    if (this.#backlog.bytes >= room) this.#sender?.pause()
    this.#received.add(chunk.length)
    this.#pass()
  }

  #receiveEnd(end: End): void {
    const rest = this.#rewritten(() => this.#rewriting.flush())
    if (!this.#isPassable()) return
    for (const bytes of rest) this.#backlog.push(bytes)
    this.#backlog.push(end)
    this.#pass()
  }

  #rewritten(rewrite: () => Buffer[]): Buffer[] {
    if (this.#state === 'over') return []
    try {
      return rewrite()
    } catch (error) {
      this.#context.failed(error)
      return []
    }
  }

  /** Whether what has come may be passed on, now or later. */
  #isPassable(): boolean {
    if (this.#state === 'dropping') this.#discard('broken')
    return this.#state !== 'broken' && this.#state !== 'over'
  }

  #restrict(state: State): void {
    if (states.indexOf(state) > states.indexOf(this.#state)) this.#state = state
  }

  /** Throws away what waits, and goes on reading the sender for nothing. */
  #discard(state: 'broken' | 'over'): void {
    this.#restrict(state)
    this.#backlog.clear()
    this.#stopTimer()
    this.#sender?.resume()
  }

  /** Passes on the next thing, where it may be. Whatever could allow it calls this. */
  #pass(): void {
    if (this.#step === 'busy' || this.#state === 'over') return
    const action = this.#breakpoints.take(this.bytesPassed)
    if (action !== undefined) {
      this.#run(action)
      return
    }
    if (this.#step === 'paced' || (this.#state !== 'open' && this.#state !== 'end-held')) return
    const receiver = this.#context.reachReceiver()
    const { head } = this.#backlog
    if (head === undefined || !this.#isDue()) return
    if (Buffer.isBuffer(head)) this.#write(receiver, head)
    else if (this.#state !== 'end-held') this.#tellEnd(receiver, head)
  }

  #run(action: Action): void {
    this.#step = 'busy'
    const run = async () => action(this.#context.connection)
    run()
      .catch((error: unknown) => this.#context.failed(error))
      .then(() => this.begin())
  }

  #isDue(): boolean {
    const { wait } = this.#backlog
    if (wait === 0) return true
    this.#timer ??= systemClock.setTimer(wait, () => {
      this.#timer = undefined
      this.#pass()
    })
    return false
  }

  #stopTimer(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #write(receiver: net.Socket, head: Buffer): void {
    const most = Math.min(this.#slice, this.#breakpoints.distance(this.bytesPassed))
    const bytes = head.subarray(0, most)
    this.#step = 'busy'
    this.#backlog.take(bytes.length)
    receiver.write(bytes, (error) => {
      // The receiver's 'close' says the rest.
      if (error) return
      if (this.#backlog.bytes < room) this.#sender?.resume()
      this.#passed.add(bytes.length)
      this.#step = 'ready'
      if (this.#slice !== Number.POSITIVE_INFINITY) this.#pace()
      this.#pass()
    })
  }

  #pace(): void {
    this.#step = 'paced'
    afterTurn(() => {
      if (this.#step === 'paced') this.begin()
    })
  }

  #tellEnd(receiver: net.Socket, end: End): void {
    this.#backlog.take(0)
    if (end === 'RST') this.reset()
    else receiver.end()
    this.#pass()
  }
}
