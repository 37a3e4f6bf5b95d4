import type { Pool, Subscription } from '../../../src/index.ts'
import type { Random } from '../../pool/support/tenants.ts'
import { now } from '../clock.ts'
import { heartbeat, limits } from '../pool-plans.ts'
import { describe } from './judge.ts'
import { violate } from './link.ts'
import type { Tally } from './tally.ts'
import type { Weather } from './weather.ts'

/** In this time a new connection of the listener's is known to be one, to both sides. */
const settling = 2_000
/** Without a fault nothing is lost for longer. */
const deafAfter = heartbeat + limits.connectTimeout + 2 * settling
/** Numbers that were sent are kept for so long at most. */
const remembered = 10_000

interface Sent {
  number: number
  at: number
}

export interface NotificationLineOptions {
  channel: string
  /** Whom to listen with. */
  listener: () => Pool
  /** Whom to notify with. */
  sender: () => Pool
  random: Random
  tally: Tally
  weather: Weather
}

/**
 * One after the other, numbers are sent by NOTIFY; each subscription hears each that was acknowledged once, in order,
 * and all of them but where it was told that it had to subscribe again.
 */
export class NotificationLine {
  readonly #options: NotificationLineOptions
  #subscription: Subscription | undefined
  #stopped = false
  #sent: Sent[] = []
  #last = 0
  /** Sent, as it may be: by a call that failed. */
  readonly #doubtful = new Set<number>()
  /** When a re-subscription was told last. */
  #reconnectedAt = Number.NEGATIVE_INFINITY
  #heardAt = now()

  constructor(options: NotificationLineOptions) {
    this.#options = options
  }

  /** Until `stop()`. */
  async run(): Promise<void> {
    const { random } = this.#options
    for (let number = 1; !this.#stopped; number++) {
      if (this.#subscription === undefined) await this.#subscribe(number)
      else if (random.chance(1)) await this.#unsubscribe()
      else await this.#notify(number)
      await new Promise((resolve) => setTimeout(resolve, 20 + random.below(60)))
    }
    await this.#unsubscribe()
  }

  stop(): void {
    this.#stopped = true
  }

  async #subscribe(number: number): Promise<void> {
    const { listener, channel, tally, weather } = this.#options
    const began = now()
    try {
      this.#subscription = await listener().listen(channel, (payload) => this.#heard(Number(payload)), {
        heartbeat,
        timeout: limits.acquireTimeout,
        onReconnect: () => {
          this.#reconnectedAt = now()
          tally.count('listener', 'told of a new subscription')
        },
      })
      tally.count('listener', 'subscribed')
      this.#sent = []
      this.#last = number - 1
      this.#heardAt = now()
    } catch (error) {
      weather.ifCalmSince(began, () => violate('calm', `pool.listen(): ${describe(error)}`))
      tally.count('listener', 'could not subscribe')
    }
  }

  async #unsubscribe(): Promise<void> {
    const subscription = this.#subscription
    this.#subscription = undefined
    await subscription?.close()
  }

  async #notify(number: number): Promise<void> {
    const { sender, channel, tally } = this.#options
    const payload = String(number)
    try {
      await sender().execute('select pg_notify($1, $2)', [channel, payload])
    } catch {
      // It may have been sent, and may come late.
      if (number > this.#last) this.#doubtful.add(number)
      return
    }
    tally.count('listener', 'notifications sent')
    if (number > this.#last) this.#sent.push({ number, at: now() })
    if (this.#sent.length > remembered) this.#sent.shift()
    this.#lookWhetherDeaf()
  }

  #heard(number: number): void {
    if (this.#subscription === undefined) return
    this.#options.tally.count('listener', 'notifications heard')
    if (this.#doubtful.delete(number) && number < this.#last) return
    if (number <= this.#last) {
      violate('LISTEN', `${this.#options.channel}: ${number} was heard behind ${this.#last}`)
      return
    }
    const missed = this.#sent.filter((sent) => sent.number < number)
    const [first] = missed
    if (first !== undefined) this.#explainLater(first, missed.length, this.#heardAt)
    this.#sent = this.#sent.filter((sent) => sent.number > number)
    this.#last = number
    this.#heardAt = now()
  }

  /** A re-subscription may be told a moment after the first notification that it brings. */
  #explainLater(first: Sent, count: number, lastHeardAt: number): void {
    setTimeout(() => {
      if (this.#reconnectedAt >= lastHeardAt) return
      violate(
        'LISTEN',
        `${this.#options.channel}: ${count} were missed from ${first.number} on, and nobody told`,
      )
    }, settling).unref()
  }

  #lookWhetherDeaf(): void {
    const [oldest] = this.#sent
    if (oldest === undefined || now() - oldest.at < deafAfter) return
    this.#sent = []
    const { channel, weather } = this.#options
    const told = `${channel}: ${oldest.number} was not heard for ${Math.round(now() - oldest.at)} ms`
    weather.ifCalmSince(oldest.at, () => violate('LISTEN', told))
  }
}
