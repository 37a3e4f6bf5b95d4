import type { Duration } from '../../duration.ts'
import { parseDuration } from '../../duration.ts'
import { checkCount, checkFunction } from '../arguments.ts'
import type { Action } from './breakpoints.ts'
import type { BytesRewriter, Flow, MessageRewriter, OneWayFaults } from './faults.ts'

/** One way of all of a proxy's connections. What lasts is noted, for those that come later. */
export class EveryFlow implements OneWayFaults {
  /** What a new flow is told, by what it replaces. */
  readonly #standing = new Map<string | symbol, (flow: Flow) => void>()
  readonly #present: () => Iterable<Flow>

  constructor(present: () => Iterable<Flow>) {
    this.#present = present
  }

  /** Tells a new flow what lasts. */
  imposeOn(flow: Flow): void {
    for (const impose of this.#standing.values()) impose(flow)
  }

  delay(latency: Duration, jitter: Duration = 0): void {
    parseDuration('latency', latency)
    parseDuration('jitter', jitter)
    this.#impose('delay', (flow) => flow.delay(latency, jitter))
  }

  slice(bytes: number): void {
    checkCount('bytes', bytes)
    this.#impose('slice', (flow) => flow.slice(bytes))
  }

  hold(): void {
    this.#impose('hold', (flow) => flow.hold())
  }

  holdEnd(): void {
    this.#impose('holdEnd', (flow) => flow.holdEnd())
  }

  drop(): void {
    this.#impose('drop', (flow) => flow.drop())
  }

  resume(): void {
    for (const word of ['hold', 'holdEnd', 'drop']) this.#standing.delete(word)
    for (const flow of this.#present()) flow.resume()
  }

  end(): void {
    for (const flow of this.#present()) flow.end()
  }

  reset(): void {
    for (const flow of this.#present()) flow.reset()
  }

  heal(): void {
    this.#standing.clear()
    for (const flow of this.#present()) flow.heal()
  }

  at(bytes: number, action: Action): void {
    checkCount('bytes', bytes)
    checkFunction('action', action)
    this.#impose(Symbol('at'), (flow) => {
      if (flow.bytesPassed <= bytes) flow.at(bytes, action)
    })
  }

  rewrite(rewriter: BytesRewriter): void {
    checkFunction('rewriter', rewriter)
    this.#impose('rewrite', (flow) => flow.rewrite(rewriter))
  }

  rewriteMessages(rewriter: MessageRewriter): void {
    checkFunction('rewriter', rewriter)
    this.#impose('rewrite', (flow) => flow.rewriteMessages(rewriter))
  }

  #impose(word: string | symbol, impose: (flow: Flow) => void): void {
    this.#standing.set(word, impose)
    for (const flow of this.#present()) impose(flow)
  }
}
